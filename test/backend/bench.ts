import { Backend, type BackendOptions } from '../../src/backend/backend.ts';
import { type FakeBackend, startBackend } from './fake-backend.ts';
import type { ConnectionView, Submission } from '../../src/core/ports/hooks.ts';
import type { RoomRule } from '../../src/core/ports/room-rules.ts';
import { onTestFinished } from 'vitest';
import { ruleOfSettings } from '../../src/rules/uniform.ts';
import { thisMachine } from '../../src/platform.ts';

export const RULE: RoomRule = ruleOfSettings({
  historySize: 100,
  historyTtlMs: 300_000,
  presenceEventsLimit: 500,
});
export const WHO: ConnectionView = {
  id: 'c1',
  userId: 'alice',
  rooms: ['r'],
  evidence: {
    claims: { sub: 'alice', plan: 'pro' },
    headers: { cookie: 'session=secret' },
    remote: '192.0.2.7',
  },
};
export const WHAT: Submission = { type: 'chat', room: 'r', event: 'said', data: '{"n":1}', ephemeral: false };
export const CONNECT = { occasion: 'connect', id: 'c1', userId: null, evidence: WHO.evidence } as const;

export interface Bench {
  readonly backend: Backend;
  readonly fake: FakeBackend;
  /** Log lines as JSON. */
  readonly lines: string[];
  /** How many questions of an event had a result. */
  readonly counted: (event: string, result: string) => number;
}

/** A backend adapter and the server that it asks. */
export async function bench(
  answer?: FakeBackend['answer'],
  options: Partial<BackendOptions> = {},
): Promise<Bench> {
  const fake = await startBackend(answer);
  const lines: string[] = [];
  const note = (fields: object, message: string): void => void lines.push(JSON.stringify([fields, message]));
  const backend = new Backend({
    address: new URL(fake.url),
    authorization: {},
    secret: 'the secret',
    events: ['connect', 'join', 'publish', 'leave', 'call'],
    timeoutMs: 5_000,
    concurrency: 100,
    allowsOnFailure: false,
    passedHeaders: ['cookie'],
    clock: thisMachine().clock,
    log: { debug: note, info: note, warn: note, error: note },
    ...options,
  });
  onTestFinished(() => backend.stop());
  const counted = (event: string, result: string): number => {
    const table = new Map<string, ReadonlyMap<string, number>>(backend.figures.requests);
    return table.get(event)?.get(result) ?? Number.NaN;
  };
  return { backend, fake, lines, counted };
}
