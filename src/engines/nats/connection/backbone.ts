import type { Clock } from '../../../core/ports/clock.ts';
import type { Log } from '../../../core/ports/log.ts';
import { Lease } from '../../shared/lease.ts';
import { Names } from './names.ts';
import type { NatsAddress } from './options.ts';
import { NatsLeases } from './leases.ts';
import { NatsLink } from './link.ts';
import { Probe } from './probe.ts';
import { StreamWatch } from './stream-watch.ts';

/** Rows that were lost are noticed within a third of `presenceTtlMs`. */
const LOOKS = 3;

export interface NatsBackboneOptions {
  readonly address: NatsAddress;
  readonly prefix: string;
  /** The number of servers that store each stream. */
  readonly replicas: number;
  /** Unique to this process. */
  readonly pod: string;
  readonly leaseMs: number;
  /** A start waits this long for NATS; then the pod serves without it. */
  readonly startWaitMs: number;
  /** Presence expires this long after the last pod refreshed it. */
  readonly presenceTtlMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** What the parts of the engine share: the connection, and the lease under which this pod stores its rows. */
export class NatsBackbone {
  readonly pod: string;
  readonly replicas: number;
  readonly leaseMs: number;
  readonly names: Names;
  readonly link: NatsLink;
  readonly leases: NatsLeases;
  readonly lease: Lease;
  readonly probe: Probe;
  /** How often the pod checks that its rows still exist. */
  readonly lookMs: number;
  readonly #watch: StreamWatch;
  readonly clock: Clock;
  readonly log: Log;
  readonly #startWaitMs: number;

  constructor(options: NatsBackboneOptions) {
    const { address, prefix, replicas, pod, leaseMs, presenceTtlMs, clock, log } = options;
    this.pod = pod;
    this.replicas = replicas;
    this.leaseMs = leaseMs;
    this.lookMs = presenceTtlMs / LOOKS;
    this.names = new Names(prefix);
    this.clock = clock;
    this.log = log;
    this.#startWaitMs = options.startWaitMs;
    this.link = new NatsLink({ address, pod, clock, log });
    const { link, names } = this;
    this.probe = new Probe({ link, names, pod, clock, log });
    this.#watch = new StreamWatch({ link, everyMs: this.lookMs, clock, log });
    this.leases = new NatsLeases({
      link,
      names,
      pod,
      leaseMs,
      ttlMs: presenceTtlMs,
      replicas,
      clock,
      log,
    });
    this.lease = new Lease({ book: this.leases, pod, leaseMs, clock, log });
  }

  /** Resolves once NATS can be reached, or after `startWaitMs`. */
  start(): Promise<void> {
    const { clock, lease, link } = this;
    lease.start();
    this.probe.start();
    this.#watch.start();
    return new Promise((resolve) => {
      const cancel = clock.after(this.#startWaitMs, () => {
        if (!link.up) link.warn();
        resolve();
      });
      link.whenUp(() => {
        cancel();
        resolve();
      });
      link.start();
    });
  }

  async stop(): Promise<void> {
    this.leases.stop();
    await this.link.stop();
  }
}
