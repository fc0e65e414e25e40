import type { Address, ModelConnection } from './server.ts';

export interface ModelSentinelOptions {
  readonly address: Address;
  readonly random: () => number;
  /** What it calls the master, `mymaster`. */
  readonly group: string;
  readonly master: Address;
  readonly replicas: readonly Address[];
  /** The other Sentinels that it knows. */
  readonly others: readonly Address[];
}

/** A model of one Redis Sentinel, which knows what the world tells it. */
export class ModelSentinel {
  constructor(_options: ModelSentinelOptions) {}

  /** As `ModelServer.connect`. */
  connect(_send: (bytes: Buffer) => void, _closed: () => void): ModelConnection {
    throw new Error('not made yet');
  }

  closeConnections(): void {
    throw new Error('not made yet');
  }

  /** It learns of another master, and tells those who listen to `+switch-master`. */
  switchMaster(_to: Address): void {
    throw new Error('not made yet');
  }
}
