import { type Client, type Closed, type Frame, part, until } from '../support/client.ts';
import type { Exit } from '../support/stack/part.ts';
import { expect } from 'vitest';
import { readiness } from '../faults/world.ts';
import type { PodProcess } from '../support/stack/pods.ts';
import { request } from 'node:http';

/** How a pod ends that has done what it had to. */
export const IN_ORDER = { code: 0, signal: null };
/** A drain whose end no test lives to see. */
export const ENDLESS = { DRAIN_WINDOW_SECONDS: '3600', SHUTDOWN_TIMEOUT_SECONDS: '7200' };

export const DRAIN: Frame = { type: 'system', event: 'drain' };

/** What every dialect tells that has a word for it. */
export const TOLD: Frame = { reconnect_after_ms: expect.any(Number) };

/** A client of the message dialect was told, last of all, that it is sent away; then it was: when it may be back. */
export async function sentAway(client: Client): Promise<number> {
  expect((await client.closed).code).toBe(1012);
  const told = client.all(DRAIN);
  expect(told).toEqual([{ ...DRAIN, from: 'system', data: TOLD, timestamp: expect.any(String) }]);
  return Number(part(told[0] ?? {}, 'data')['reconnect_after_ms']);
}

/** The codes with which the clients were closed, the smallest first. */
export async function codesOf(clients: readonly Client[]): Promise<number[]> {
  const ends: Closed[] = await Promise.all(clients.map(({ closed }) => closed));
  return ends.map(({ code }) => code).toSorted((a, b) => a - b);
}

/** Resolves once the pod has begun to end. */
export async function draining(pod: PodProcess): Promise<void> {
  await until('the pod to drain', async () => (await readiness(pod)) === '503 draining');
}

/** Comes as soon as the pod, which lets in few a second, has a place. */
export async function patiently(come: () => Promise<Client>): Promise<Client> {
  let client: Client | undefined;
  await until('a place on the pod', async () => {
    client = await come().catch((error: unknown) => {
      if (!String(error).includes('429')) throw error;
      return undefined;
    });
    return client !== undefined;
  });
  return client as Client;
}

/** How a pod ends that nobody sends a signal. */
export async function exitOf(pod: PodProcess): Promise<Exit> {
  await until('the pod to end', () => pod.state === 'ended');
  // This one reaches nobody any more.
  return pod.stop();
}

/** A request whose head the pod has taken, and whose body it still waits for. */
export interface HalfRequest {
  /** Sends the body. */
  finish(): Promise<{ status: number; headers: Headers; body: Frame }>;
}

export async function halfRequest({ url }: PodProcess, path: string, body: Frame): Promise<HalfRequest> {
  const bytes = Buffer.from(JSON.stringify(body));
  const sent = request(`${url}${path}`, {
    method: 'POST',
    // The pod says when it has the head.
    headers: { 'content-type': 'application/json', 'content-length': bytes.length, expect: '100-continue' },
  });
  const answer = new Promise<Awaited<ReturnType<HalfRequest['finish']>>>((resolve, reject) => {
    sent.on('error', reject);
    sent.on('response', (response) => {
      let text = '';
      response.on('error', reject).on('data', (chunk) => (text += String(chunk)));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: new Headers(response.headers as Record<string, string>),
          body: JSON.parse(text) as Frame,
        }),
      );
    });
  });
  // Whoever finishes it is told.
  answer.catch(() => undefined);
  await new Promise<void>((resolve) => sent.once('continue', resolve).flushHeaders());
  return {
    finish: () => {
      sent.end(bytes);
      return answer;
    },
  };
}
