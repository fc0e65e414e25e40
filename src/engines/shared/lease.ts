import { ignored } from './ignored.ts';
import { Unavailable } from './unavailable.ts';
import { every } from '../../core/base/every.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Log } from '../../core/ports/log.ts';

/** A lease is renewed at least so often. */
const MOST_BETWEEN_MS = 3_000;
/** After rows were refused, all of them are written again under another name after so long. */
const AGAIN_MS = 1_000;

/** Where the leases of all pods are stored: Redis or NATS. Its calls raise Unavailable. */
export interface LeaseBook {
  /** Whether it can be reached. */
  readonly up: boolean;
  /** Calls `task` each time it can be reached again; what was stored may be gone by then. */
  whenUp(task: () => void): void;
  /**
   * Renews the lease under a name, or takes it (`takes`). `alive` is false if the lease had expired; then it is not
   * renewed. `dead`: names whose leases have expired and that this pod shall reap. If it does not do so soon, another
   * pod gets them. Empty unless `reaps`.
   */
  renew(name: string, takes: boolean, reaps: boolean): Promise<{ alive: boolean; dead: readonly string[] }>;
  /** Lets the lease expire in `ms`. */
  end(name: string, ms: number): Promise<void>;
  /** This pod has reaped the dead pod of this name. */
  reaped(name: string): Promise<void>;
}

export interface LeaseOptions {
  readonly book: LeaseBook;
  /** No other process has this name. */
  readonly pod: string;
  readonly leaseMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** A part of this pod that stores rows for all pods to see, under the name of the pod's lease. */
export interface Leaseholder {
  /** The lease has a new name: writes all rows again under it. Raises Unavailable. */
  rewriteAll(): Promise<void>;
  /** Removes the rows of a dead pod, in bounded steps. Raises Unavailable. */
  reap(pod: string): Promise<void>;
}

/**
 * This pod's sign of life. The pod stores its rows under `name`. When it has not renewed the lease for `leaseMs`,
 * another pod reaps those rows. After each time the book was unavailable the pod takes another name and writes all its
 * rows again; rows that it does not write again expire with the old name.
 */
export class Lease {
  readonly #options: LeaseOptions;
  readonly #holders: Leaseholder[] = [];
  #generation = 0;
  /** The generation under whose name the lease was taken. */
  #taken = -1;
  /** Rewriting and reaping, one task after the other; a task may take longer than the lease. */
  #work: Promise<void> = Promise.resolve();
  #asking = false;
  /** By `Clock.elapsed`; before that this pod takes no other pod for dead. */
  #reapsFrom = 0;
  #stopped = false;
  #stopRenewing: () => void = ignored;

  constructor(options: LeaseOptions) {
    this.#options = options;
    options.book.whenUp(() => {
      // The other pods could not renew their leases either, and need time to reconnect.
      this.#reapsFrom = options.clock.elapsed() + options.leaseMs;
      this.#takeAnother();
    });
  }

  get name(): string {
    return `${this.#options.pod}.${this.#generation}`;
  }

  add(holder: Leaseholder): void {
    this.#holders.push(holder);
  }

  start(): void {
    const { clock, leaseMs } = this.#options;
    this.#stopRenewing = every(clock, Math.min(leaseMs / 3, MOST_BETWEEN_MS), () => void this.#renew());
  }

  /** This pod counts as dead after `ms`, so that the others need not wait for its lease to expire. */
  async stop(ms: number): Promise<void> {
    this.#stopped = true;
    this.#stopRenewing();
    const { book } = this.#options;
    if (book.up && this.#taken === this.#generation) await book.end(this.name, ms).catch(ignored);
  }

  /**
   * Checks the reply of a script that writes a row. Raises Unavailable if the lease had expired: all rows are written
   * again.
   */
  unlessLapsed(name: string, reply: unknown): unknown {
    if (reply !== 'lapsed') return reply;
    this.lapsed(name);
    throw new Unavailable('the lease of this pod has expired; it takes another');
  }

  /** The rows under the name are gone, or none can be written under it: takes another name and writes all again. */
  lapsed(name: string): void {
    // Else the pod is taking another name already.
    if (name === this.name && this.#taken === this.#generation) this.#takeAnother();
  }

  #takeAnother(): void {
    this.#generation += 1;
    void this.#renew();
  }

  async #renew(): Promise<void> {
    if (this.#asking || this.#stopped || !this.#options.book.up) return;
    this.#asking = true;
    try {
      // The name may change while a step runs.
      do await this.#step();
      while (this.#taken !== this.#generation);
    } catch (error) {
      this.#failed(error);
    }
    this.#asking = false;
  }

  /** The name may be another one afterwards, whose lease is not taken yet. */
  async #step(): Promise<void> {
    const generation = this.#generation;
    const takes = this.#taken !== generation;
    const { book, clock } = this.#options;
    const reaps = clock.elapsed() >= this.#reapsFrom;
    const { alive, dead } = await book.renew(this.name, takes, reaps);
    if (!alive) {
      this.#options.log.warn(
        {},
        'this pod did not renew its lease in time and counts as dead; it takes another lease',
      );
      this.#generation += 1;
      return;
    }
    if (takes) {
      this.#taken = generation;
      this.#do(() => this.#register(generation));
    }
    for (const pod of dead) this.#do(() => this.#reap(pod));
  }

  #do(task: () => Promise<void>): void {
    this.#work = this.#work.then(task).catch(this.#failed);
  }

  readonly #failed = (error: unknown): void => {
    // An unavailable book calls `whenUp` later, and all begins again.
    if (!(error instanceof Unavailable))
      this.#options.log.error({ err: error }, 'the lease could not be renewed');
  };

  async #register(generation: number): Promise<void> {
    // A later name exists: its own step writes everything.
    if (generation !== this.#generation) return;
    try {
      for (const holder of this.#holders) await holder.rewriteAll();
    } catch (error) {
      // An unavailable book calls `whenUp` later. After any other failure nothing else would try again.
      if (!(error instanceof Unavailable) || this.#options.book.up) {
        this.#options.clock.after(AGAIN_MS, () => this.lapsed(`${this.#options.pod}.${generation}`));
      }
      throw error;
    }
  }

  async #reap(pod: string): Promise<void> {
    const reaped = await Promise.allSettled(this.#holders.map((holder) => holder.reap(pod)));
    for (const one of reaped) if (one.status === 'rejected') throw one.reason;
    await this.#options.book.reaped(pod);
    this.#options.log.info({ dead: pod }, 'cleaned up after a dead pod');
  }
}
