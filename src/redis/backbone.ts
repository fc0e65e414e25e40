import { ignored } from './away.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Envelope } from './envelope.ts';
import { Keys } from './keys.ts';
import { Lease, RENEW } from './lease.ts';
import { Link } from './link.ts';
import type { Log } from '../core/ports/log.ts';
import type { RedisAddress } from './options.ts';
import type { Script } from './script.ts';
import { Subscriptions } from './subscriptions.ts';

/** A start waits so long for Redis; a pod that starts without it is ready all the same. */
const START_MS = 2_000;

export interface BackboneOptions {
  readonly address: RedisAddress;
  readonly prefix: string;
  /** No other process has this name. */
  readonly pod: string;
  readonly leaseMs: number;
  /** Every script that will be called. */
  readonly scripts: readonly Script[];
  readonly clock: Clock;
  readonly log: Log;
}

/** Takes what came from a pod, this one included: on a room's channel, or on that of all pods (no room). */
export type Listener = (room: string | undefined, envelope: Envelope) => void;

/** This pod's place among the others: two connections, and the lease under which it keeps things in Redis. */
export class Backbone {
  readonly pod: string;
  readonly keys: Keys;
  readonly link: Link;
  readonly subscriptions: Subscriptions;
  readonly lease: Lease;
  readonly clock: Clock;
  readonly log: Log;
  readonly #listeners: Listener[] = [];

  constructor({ address, prefix, pod, leaseMs, scripts, clock, log }: BackboneOptions) {
    const keys = new Keys(prefix);
    const receive = (channel: string, envelope: Envelope): void => {
      const room = keys.roomOf(channel);
      for (const listener of this.#listeners) listener(room, envelope);
    };
    this.pod = pod;
    this.keys = keys;
    this.clock = clock;
    this.log = log;
    this.link = new Link({ address, keys, pod, scripts: [RENEW, ...scripts], clock, log });
    this.subscriptions = new Subscriptions({ address, pod, clock, log, receive });
    const { link, subscriptions } = this;
    this.lease = new Lease({ link, subscriptions, keys, pod, leaseMs, clock, log });
  }

  listen(listener: Listener): void {
    this.#listeners.push(listener);
  }

  /** Resolves once Redis is there, after two seconds at the latest. */
  async start(): Promise<void> {
    const { keys, lease, pod, subscriptions } = this;
    for (const channel of [keys.globalChannel, keys.probeChannel(pod)]) {
      // It stays asked for, and is subscribed when there is a connection.
      subscriptions.subscribe(channel).catch(ignored);
    }
    lease.start();
    await this.#connect();
  }

  #connect(): Promise<void> {
    const { clock, link, subscriptions } = this;
    return new Promise((resolve) => {
      const cancel = clock.after(START_MS, () => {
        if (!link.up) link.warn();
        resolve();
      });
      const resolveIfUp = (): void => {
        if (!link.up || !subscriptions.up) return;
        cancel();
        resolve();
      };
      link.whenUp(resolveIfUp);
      subscriptions.whenUp(resolveIfUp);
      link.start();
      subscriptions.start();
    });
  }

  stop(): void {
    this.subscriptions.stop();
    this.link.stop();
  }
}
