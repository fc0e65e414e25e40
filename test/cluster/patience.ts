import { setTimeout as sleep } from 'node:timers/promises';

/** As long as a cluster may take for anything. Nothing is ever expected sooner. */
const PATIENCE_MS = 180_000;

/** Asks again and again until it is so; a question that fails counts as no. `why` says what was there instead. */
export async function eventually(
  what: string,
  isSo: () => Promise<boolean>,
  why: () => Promise<string> = () => Promise.resolve(''),
): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  let fault: unknown;
  while (Date.now() < deadline) {
    fault = undefined;
    if (await isSo().catch((error: unknown) => void (fault = error))) return;
    await sleep(500);
  }
  const rest = await why().catch(String);
  throw new Error(`waited ${PATIENCE_MS / 1_000} s in vain for ${what}\n${rest}`, { cause: fault });
}
