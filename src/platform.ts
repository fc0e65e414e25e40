import type { Clock } from './core/ports/clock.ts';
import type { Ids } from './core/pod.ts';
import { randomBytes } from 'node:crypto';

/** The machine's clock; what waits on it does not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, task) {
    const timer = setTimeout(task, ms).unref();
    return () => clearTimeout(timer);
  },
};

/** 96 random bits for a connection; a message without a position is numbered behind a tag that no other pod has. */
export function randomIds(): Ids {
  const tag = randomName();
  let messages = 0;
  return {
    connection: () => randomBytes(12).toString('base64url'),
    ephemeral: () => `${tag}~${(messages += 1).toString(36)}`,
  };
}

/** A short name that no other process has. */
export function randomName(): string {
  return randomBytes(6).toString('hex');
}
