/** What this pod counts, as plain numbers: adding to them costs nothing, telemetry reads them when it is asked. */
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
  /** Recoveries, by result: `recovered` or the reason why not. */
  readonly recoveries: Map<string, number>;
  /** Rooms whose members on this pod were told that their history went back or lost something. */
  historyLost: number;
  /** Commands refused because a connection sent more than it may. */
  rateLimited: number;
  /** Tokens that were not accepted, by reason. */
  readonly authFailures: Map<string, number>;
  /** HTTP requests; `countRequest` makes the keys. */
  readonly requests: Map<string, number>;
  /** From the making of a message to its members' outboxes. */
  readonly publishToDeliver: Delays;
}

/** Why: nobody keeps it for a reader that is slow, or one has fallen behind and goes on from the history. */
export type Dropped = 'ephemeral' | 'lagging';

/** How long something took, counted in buckets: `counts` has one for each of DELAY_BOUNDS_MS and one for the rest. */
export interface Delays {
  readonly counts: number[];
  sumMs: number;
}

/** Upper bounds of the buckets, each included in its own. */
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

/** `route` is the pattern that matched; a method and a status hold no space. */
export function countRequest(tally: Tally, method: string, route: string, status: number): void {
  count(tally.requests, `${method} ${status} ${route}`);
}

/** For every message of every pod: it allocates nothing. A clock that is behind the publisher's counts as no delay. */
export function observe(delays: Delays, ms: number): void {
  const delay = Math.max(0, ms);
  let bucket = 0;
  while (delay > (DELAY_BOUNDS_MS[bucket] ?? Infinity)) bucket += 1;
  delays.counts[bucket] = (delays.counts[bucket] ?? 0) + 1;
  delays.sumMs += delay;
}
