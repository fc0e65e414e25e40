const BASE_MS = 1_000;
const CAP_MS = 30_000;

/**
 * The wait in milliseconds before reconnect attempt `attempt` (0 is the first): random, between 0 and a limit that
 * doubles from 1 s to 30 s. The full jitter keeps the clients of a pod that died from reconnecting all at once.
 * `random` returns numbers in [0, 1).
 */
export function backoffMs(attempt: number, random: () => number): number {
  return random() * Math.min(CAP_MS, BASE_MS * 2 ** attempt);
}
