/** What this pod counts, as plain numbers: adding costs nothing, and telemetry reads them at a scrape. */
export interface Tally {
  /** Frames handed to sockets. */
  sent: number;
  /** Frames from clients. */
  received: number;
  /** Messages that were not delivered. */
  readonly dropped: Map<Dropped, number>;
  /** Connections closed, by close code. */
  readonly closed: Map<number | 'other', number>;
  /** Upgrades refused, by reason. */
  readonly refused: Map<string, number>;
  /** Recoveries, by result: `recovered`, or why messages are missing. */
  readonly recoveries: Map<string, number>;
  /** Rooms whose members on this pod were told that their history went back or lost something. */
  historyLost: number;
  /** Commands rejected by the rate limit. */
  rateLimited: number;
  /** Tokens refused, by reason. */
  readonly authFailures: Map<string, number>;
  /** HTTP requests; `countRequest` makes the keys. */
  readonly requests: Map<string, number>;
  /** From the timestamp of a message until it is in the outboxes of the members. */
  readonly publishToDeliver: Delays;
}

/** `ephemeral`: no history has it for a slow reader. `lagging`: a reader fell behind and goes on from the history. */
export type Dropped = 'ephemeral' | 'lagging';

/** A histogram: `counts` has one bucket for each of DELAY_BOUNDS_MS, and one for longer delays. */
export interface Delays {
  readonly counts: number[];
  sumMs: number;
}

/** Upper bounds of the buckets, inclusive. */
export const DELAY_BOUNDS_MS: readonly number[] = [
  0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000,
];

export function createTally(): Tally {
  return {
    sent: 0,
    received: 0,
    dropped: new Map(),
    closed: new Map(),
    refused: new Map(),
    recoveries: new Map(),
    historyLost: 0,
    rateLimited: 0,
    authFailures: new Map(),
    requests: new Map(),
    publishToDeliver: { counts: Array<number>(DELAY_BOUNDS_MS.length + 1).fill(0), sumMs: 0 },
  };
}

export function count<Key>(table: Map<Key, number>, key: Key, by = 1): void {
  if (by > 0) table.set(key, (table.get(key) ?? 0) + by);
}

/** `route` is the pattern that matched. The parts are joined by spaces; method and status contain none. */
export function countRequest(tally: Tally, method: string, route: string, status: number): void {
  count(tally.requests, `${method} ${status} ${route}`);
}

/** Called for every message, so it allocates nothing. A clock behind the publisher's counts as no delay. */
export function observe(delays: Delays, ms: number): void {
  const delay = Math.max(0, ms);
  let bucket = 0;
  while (delay > (DELAY_BOUNDS_MS[bucket] ?? Infinity)) bucket += 1;
  delays.counts[bucket] = (delays.counts[bucket] ?? 0) + 1;
  delays.sumMs += delay;
}
