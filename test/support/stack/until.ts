import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 50;

/** Asks again and again until the answer is true; an error counts as no. Throws after the time, with the last error. */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  timeoutMs: number,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  let cause: unknown;
  do {
    try {
      if (await isSo()) return;
    } catch (error) {
      cause = error;
    }
    await sleep(POLL_MS);
  } while (Date.now() < deadline);
  throw new Error(`waited ${timeoutMs} ms in vain for ${what}`, { cause });
}
