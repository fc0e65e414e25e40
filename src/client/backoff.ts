const BASE_MS = 1_000;
const CAP_MS = 30_000;

/**
 * How long to wait, in milliseconds, before reconnect attempt `attempt` (0 is the first): anywhere between nothing
 * and a bound that doubles from 1 s to 30 s. The full jitter is what keeps the clients of a dead pod from coming
 * back in step. `random` gives numbers in [0, 1).
 */
export function backoffMs(attempt: number, random: () => number): number {
  return random() * Math.min(CAP_MS, BASE_MS * 2 ** attempt);
}
