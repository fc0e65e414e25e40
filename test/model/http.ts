import type { PodProcess } from '../support/stack/pods.ts';
import { setTimeout as pause } from 'node:timers/promises';

const TIMEOUT_MS = 5_000;
const ANSWER_MS = 20_000;
const POLL_MS = 50;

/** What a pod answers over HTTP; status 0 where it does not. */
export async function ask(
  pod: PodProcess,
  path: string,
  body?: unknown,
): Promise<{ status: number; json: Record<string, unknown> }> {
  try {
    const answer = await fetch(`${pod.url}${path}`, {
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body !== undefined && {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      }),
    });
    return { status: answer.status, json: (await answer.json()) as Record<string, unknown> };
  } catch {
    return { status: 0, json: {} };
  }
}

/** Asks until there is an answer. */
export async function askUntilAnswered(pod: PodProcess, path: string): Promise<Record<string, unknown>> {
  const deadline = Date.now() + ANSWER_MS;
  for (;;) {
    const { status, json } = await ask(pod, path);
    if (status === 200) return json;
    if (Date.now() > deadline)
      throw new Error(`${pod.name} answers ${path} with ${status}: ${JSON.stringify(json)}`);
    await pause(POLL_MS);
  }
}
