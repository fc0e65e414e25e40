import { ignored } from './ignored.ts';
import { Unavailable } from './unavailable.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Log } from '../../core/ports/log.ts';

/** A lease is renewed at least so often. */
const MOST_BETWEEN_MS = 3_000;
/** What was refused to be written is written anew after so long. */
const AGAIN_MS = 1_000;

/** Where the leases of all pods are kept. Its calls raise Unavailable. */
export interface LeaseBook {
  /** Whether it can be asked at present. */
  readonly up: boolean;
  /** Calls `task` each time it can be asked again, and what was kept may be gone. */
  whenUp(task: () => void): void;
  /**
   * Renews the lease under a name, or takes it. Not alive: it had ended, and was not renewed. `dead`: names whose
   * leases have ended, and after which this pod is to clean up; another pod is given them if that is not done soon.
   * None are given where `buries` is false.
   */
  renew(name: string, takes: boolean, buries: boolean): Promise<{ alive: boolean; dead: readonly string[] }>;
  /** The lease ends in `ms`. */
  end(name: string, ms: number): Promise<void>;
  /** This pod has cleaned up after a dead one. */
  buried(name: string): Promise<void>;
}

export interface LeaseOptions {
  readonly book: LeaseBook;
  /** No other process has this name. */
  readonly pod: string;
  readonly leaseMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** Somebody who keeps things for this pod where all pods see them, under the name of its lease. */
export interface Leaseholder {
  /** There is a new name: nothing that was kept counts any more. Raises Unavailable. */
  registerAnew(): Promise<void>;
  /** Clears away what a dead pod had, in bounded steps. Raises Unavailable. */
  bury(pod: string): Promise<void>;
}

/**
 * This pod's sign of life. What it shares with the others is kept under `name`; when the pod has been silent for the length of
 * the lease, one of the others clears that away. After every absence of the book the pod goes on under another name: what
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
  /** By the clock that only goes forward; before that nobody is taken for dead by this pod. */
  #buriesFrom = 0;
  #stopped = false;

  constructor(options: LeaseOptions) {
    this.#options = options;
    options.book.whenUp(() => {
      // Whoever could not renew its lease either is given time to come back.
      this.#buriesFrom = options.clock.elapsed() + options.leaseMs;
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
    this.#renewLater();
  }

  /** The others need not wait for the lease to end: after `ms` this pod counts as dead. */
  async stop(ms: number): Promise<void> {
    this.#stopped = true;
    const { book } = this.#options;
    if (book.up && this.#taken === this.#generation) await book.end(this.name, ms).catch(ignored);
  }

  /** The reply of a script that keeps something under the name. Raises Unavailable where it could not: all is written anew. */
  unlessLapsed(name: string, reply: unknown): unknown {
    if (reply !== 'lapsed') return reply;
    this.lapsed(name);
    throw new Unavailable('this pod counts as dead and registers anew');
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
    if (this.#asking || this.#stopped || !this.#options.book.up) return;
    this.#asking = true;
    try {
      // Again for as long as the name changes meanwhile.
      do await this.#step();
      while (this.#taken !== this.#generation);
    } catch (error) {
      this.#failed(error);
    }
    this.#asking = false;
  }

  /** The name may have changed afterwards, and then is not taken yet. */
  async #step(): Promise<void> {
    const generation = this.#generation;
    const takes = this.#taken !== generation;
    const { book, clock } = this.#options;
    const buries = clock.elapsed() >= this.#buriesFrom;
    const { alive, dead } = await book.renew(this.name, takes, buries);
    if (!alive) {
      this.#options.log.warn({}, 'this pod was silent for too long and counts as dead; it registers anew');
      this.#generation += 1;
      return;
    }
    if (takes) {
      this.#taken = generation;
      this.#do(() => this.#register(generation));
    }
    for (const pod of dead) this.#do(() => this.#bury(pod));
  }

  #do(task: () => Promise<void>): void {
    this.#work = this.#work.then(task).catch(this.#failed);
  }

  readonly #failed = (error: unknown): void => {
    // When the book is there again all begins anew.
    if (!(error instanceof Unavailable))
      this.#options.log.error({ err: error }, 'the lease could not be kept');
  };

  async #register(generation: number): Promise<void> {
    // There is a later name already, under which all will be written.
    if (generation !== this.#generation) return;
    try {
      for (const holder of this.#holders) await holder.registerAnew();
    } catch (error) {
      // A book that is away says when it is back; nothing else would begin anew.
      if (!(error instanceof Unavailable) || this.#options.book.up) {
        this.#options.clock.after(AGAIN_MS, () => this.lapsed(`${this.#options.pod}.${generation}`));
      }
      throw error;
    }
  }

  async #bury(pod: string): Promise<void> {
    const buried = await Promise.allSettled(this.#holders.map((holder) => holder.bury(pod)));
    for (const one of buried) if (one.status === 'rejected') throw one.reason;
    await this.#options.book.buried(pod);
    this.#options.log.info({ dead: pod }, 'cleaned up after a pod');
  }
}
