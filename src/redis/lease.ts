import { Away, ignored } from './away.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Keys } from './keys.ts';
import type { Link } from './link.ts';
import type { Log } from '../core/ports/log.ts';
import { scriptsBeside } from './script.ts';
import type { Subscriptions } from './subscriptions.ts';

export const RENEW = scriptsBeside(import.meta.url)('renew');
/** A lease is renewed at least so often: it also is the probe of the subscription. */
const MOST_BETWEEN_MS = 3_000;
/** A pod that was given a dead one to bury has so long before another is given it. */
const BURIAL_MS = 10_000;

export interface LeaseOptions {
  readonly link: Link;
  readonly subscriptions: Subscriptions;
  readonly keys: Keys;
  /** No other process has this name. */
  readonly pod: string;
  readonly leaseMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** Somebody who keeps things in Redis for this pod, under the name of its lease. */
export interface Leaseholder {
  /** There is a new name: nothing that was kept counts any more. Raises Away. */
  registerAnew(): Promise<void>;
  /** Clears away what a dead pod had, in bounded steps. Raises Away. */
  bury(pod: string): Promise<void>;
}

/**
 * This pod's sign of life. What it keeps in Redis is kept under `name`; when the pod has been silent for the length of
 * the lease, one of the others clears that away. After every absence of Redis the pod goes on under another name: what
 * it keeps is written anew, and what the old name still holds, and nobody holds under the new one, lapses with it.
 */
export class Lease {
  readonly #options: LeaseOptions;
  readonly #holders: Leaseholder[] = [];
  #generation = 0;
  /** The generation under whose name the lease was taken. */
  #taken = -1;
  /** Registrations and burials, one after the other; they may take longer than the lease. */
  #work: Promise<void> = Promise.resolve();
  #asking = false;
  #stopped = false;

  constructor(options: LeaseOptions) {
    this.#options = options;
    options.link.whenUp(() => this.#takeAnother());
  }

  get name(): string {
    return `${this.#options.pod}.${this.#generation}`;
  }

  add(holder: Leaseholder): void {
    this.#holders.push(holder);
  }

  start(): void {
    this.#renewLater();
  }

  /** The others need not wait for the lease to end: after `ms` this pod counts as dead. */
  async stop(ms: number): Promise<void> {
    this.#stopped = true;
    const { link, keys } = this.#options;
    if (!link.up || this.#taken !== this.#generation) return;
    await link.command((client) => client.zadd(keys.pods, link.now() + ms, this.name)).catch(ignored);
  }

  /** The reply of a script that keeps something under the name. Raises Away where it could not: all is written anew. */
  unlessLapsed(name: string, reply: unknown): unknown {
    if (reply !== 'lapsed') return reply;
    this.lapsed(name);
    throw new Away('this pod counts as dead and registers anew');
  }

  /** What was kept under the name is gone, or nothing can be kept under it: all is written anew under another. */
  lapsed(name: string): void {
    // Otherwise that is under way already.
    if (name === this.name && this.#taken === this.#generation) this.#takeAnother();
  }

  #takeAnother(): void {
    this.#generation += 1;
    void this.#renew();
  }

  #renewLater(): void {
    const { clock, leaseMs } = this.#options;
    clock.after(Math.min(leaseMs / 3, MOST_BETWEEN_MS), () => {
      if (this.#stopped) return;
      void this.#renew();
      this.#renewLater();
    });
  }

  async #renew(): Promise<void> {
    if (this.#asking || this.#stopped || !this.#options.link.up) return;
    this.#asking = true;
    try {
      // Again for as long as the name changes meanwhile.
      while (!(await this.#step())) await Promise.resolve();
    } catch (error) {
      this.#options.subscriptions.forgetProbe();
      this.#failed(error);
    }
    this.#asking = false;
  }

  /** False: the name has changed, or has to. */
  async #step(): Promise<boolean> {
    const generation = this.#generation;
    const takes = this.#taken !== generation;
    const { alive, dead } = await this.#ask(takes);
    if (!alive) {
      this.#options.log.warn({}, 'this pod was silent for too long and counts as dead; it registers anew');
      this.#generation += 1;
      return false;
    }
    if (takes) {
      this.#taken = generation;
      this.#do(() => this.#register());
    }
    for (const pod of dead) this.#do(() => this.#bury(pod));
    return this.#generation === generation;
  }

  #do(task: () => Promise<void>): void {
    this.#work = this.#work.then(task).catch(this.#failed);
  }

  readonly #failed = (error: unknown): void => {
    // When Redis is back all begins anew.
    if (!(error instanceof Away)) this.#options.log.error({ err: error }, 'the lease could not be kept');
  };

  async #register(): Promise<void> {
    for (const holder of this.#holders) await holder.registerAnew();
  }

  async #ask(takes: boolean): Promise<{ alive: boolean; dead: string[] }> {
    const { link, keys, leaseMs, pod, subscriptions } = this.#options;
    const now = link.now();
    subscriptions.expectProbe();
    const args = [now, now + leaseMs, this.name, takes ? '1' : '', keys.probeChannel(pod), now + BURIAL_MS];
    const [alive, ...dead] = (await link.call(RENEW, [keys.pods, keys.graves], args)) as [
      number,
      ...string[],
    ];
    return { alive: alive === 1, dead };
  }

  async #bury(pod: string): Promise<void> {
    const { link, keys, log } = this.#options;
    for (const holder of this.#holders) await holder.bury(pod);
    await link.command((client) => client.zrem(keys.graves, pod));
    log.info({ dead: pod }, 'cleaned up after a pod');
  }
}
