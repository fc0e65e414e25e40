import type { Clock } from '../../../core/ports/clock.ts';
import { Cluster } from './cluster.ts';
import type { Envelope } from '../../shared/envelope.ts';
import { ignored } from '../../shared/ignored.ts';
import { CLEAR } from './key-types.ts';
import { Keys } from './keys.ts';
import { Lease } from '../../shared/lease.ts';
import { RedisLeases, RENEW } from './leases.ts';
import { lastKnown } from './last-known.ts';
import type { Log } from '../../../core/ports/log.ts';
import { FailedWrites } from './failed-writes.ts';
import { OneServer } from './one-server.ts';
import type { Placement } from './placement.ts';
import type { RedisAddress } from './options.ts';
import type { Shard } from './shard.ts';
import type { Script } from './script.ts';

export interface BackboneOptions {
  readonly address: RedisAddress;
  readonly prefix: string;
  /** Unique to this process. */
  readonly pod: string;
  readonly leaseMs: number;
  /** A start waits this long for Redis; then the pod continues without it. */
  readonly startWaitMs: number;
  /** Every script that will be called. */
  readonly scripts: readonly Script[];
  readonly clock: Clock;
  readonly log: Log;
}

/** Takes what a pod (this one included) published on a room's channel, or on the channel of all pods (no room). */
export type Listener = (room: string | undefined, envelope: Envelope) => void;

/**
 * What the broker, presence and the directory of one pod share: the servers, and the lease under which the pod writes.
 */
export class Backbone {
  readonly pod: string;
  /** A pod that has not renewed its lease for this long counts as dead. */
  readonly leaseMs: number;
  readonly keys: Keys;
  readonly placement: Placement;
  readonly lease: Lease;
  readonly failedWrites: FailedWrites;
  readonly clock: Clock;
  readonly log: Log;
  readonly #startWaitMs: number;
  readonly #listeners: Listener[] = [];

  constructor({ address, prefix, pod, leaseMs, startWaitMs, scripts, clock, log }: BackboneOptions) {
    const keys = new Keys(prefix, address.cluster !== undefined);
    const receive = (channel: string, envelope: Envelope): void => {
      const room = keys.roomOf(channel);
      for (const listener of this.#listeners) listener(room, envelope);
    };
    let connections = 0;
    const nextConnection = (): number => (connections += 1);
    const options = {
      address,
      keys,
      pod,
      scripts: [RENEW, CLEAR, ...scripts],
      nextConnection,
      lookup: lastKnown(clock),
      clock,
      log,
      receive,
    };
    this.pod = pod;
    this.leaseMs = leaseMs;
    this.keys = keys;
    this.clock = clock;
    this.log = log;
    this.#startWaitMs = startWaitMs;
    this.placement = address.cluster === undefined ? new OneServer(options) : new Cluster(options);
    const book = new RedisLeases({ placement: this.placement, keys, leaseMs });
    this.lease = new Lease({ book, pod, leaseMs, clock, log });
    // First among the holders of the lease: what they write when the pod registers again makes up for all that failed.
    this.failedWrites = new FailedWrites(this.lease, this.placement);
  }

  /** See `Placement.shared`. */
  get shared(): Shard {
    return this.placement.shared;
  }

  listen(listener: Listener): void {
    this.#listeners.push(listener);
  }

  /** Resolves once Redis answers and all channels are subscribed, or the wait is over. */
  async start(): Promise<void> {
    // Fails now, and is subscribed when there is a connection.
    this.placement.channels.subscribe(this.keys.globalChannel).catch(ignored);
    this.placement.channels.subscribe(this.keys.podChannel(this.pod)).catch(ignored);
    this.lease.start();
    await this.#connect();
  }

  #connect(): Promise<void> {
    const { clock, placement } = this;
    return new Promise((resolve) => {
      const cancel = clock.after(this.#startWaitMs, () => {
        placement.warn();
        resolve();
      });
      placement.whenSubscribed(() => {
        if (!placement.up || !placement.subscribed) return;
        cancel();
        resolve();
      });
      placement.start();
    });
  }

  stop(): void {
    this.placement.stop();
  }
}
