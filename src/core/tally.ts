/** What this pod counts, as plain numbers: adding to them costs nothing, telemetry reads them when it is asked. */
export interface Tally {
  /** Frames handed to sockets. */
  sent: number;
  /** Frames from clients. */
  received: number;
  /** Messages that were not delivered, by reason. */
  readonly dropped: Map<string, number>;
  /** Connections closed, by close code. */
  readonly closed: Map<number, number>;
  /** Upgrades refused, by reason. */
  readonly refused: Map<string, number>;
  /** Recoveries, by result: `recovered` or the reason why not. */
  readonly recoveries: Map<string, number>;
}

export function createTally(): Tally {
  return {
    sent: 0,
    received: 0,
    dropped: new Map(),
    closed: new Map(),
    refused: new Map(),
    recoveries: new Map(),
  };
}

export function count<Key>(table: Map<Key, number>, key: Key, by = 1): void {
  if (by > 0) table.set(key, (table.get(key) ?? 0) + by);
}
