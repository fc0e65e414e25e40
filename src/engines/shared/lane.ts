import { ignored } from './ignored.ts';
import { Unavailable } from './unavailable.ts';
import type { Published } from '../../core/ports/broker.ts';

/** What is to be published. */
export interface Draft {
  readonly room: string;
  readonly body: string;
  readonly key: string | undefined;
  readonly trace: string | undefined;
  /** Its name until it has a position: made from room and key where there is one, else like no other. */
  readonly provisionalId: string;
}

/** A publication on its way into a room's history. */
export interface Publication extends Draft {
  /** The pod's members have it already. */
  provisional: boolean;
  /** When it was first sent, by `LaneOptions.now`: it may have been taken then without our hearing of it. */
  sentAt: number | undefined;
}

export interface Waiting extends Publication {
  state: 'waits' | 'sent';
  /** For whoever published. */
  readonly answered: PromiseWithResolvers<Published>;
  /** Made when it is answered before history has it. */
  settled: PromiseWithResolvers<Published> | undefined;
}

export interface LaneOptions {
  /** Sends one; raises Unavailable, or an error that will not pass. */
  readonly send: (publication: Publication) => Promise<Published>;
  /** Whether publications in a room can be sent at present. */
  readonly isUp: (room: string) => boolean;
  readonly now: (room: string) => number;
  /** Where a room's publications go; what is under way to one place must be answered before any goes to another. */
  readonly whither: (room: string) => string;
  /** Gives it to this pod's members, since the others must wait. */
  readonly deliver: (publication: Publication) => void;
  /** One that was delivered so is refused, or history has had it under this id. */
  readonly forget: (publication: Publication, id?: string) => void;
  /** Resolves after a pause, longer with each failed attempt in a row. */
  readonly pause: (attempt: number) => Promise<void>;
  /** So many may be under way; the next is sent when one of them is answered. */
  readonly atOnce: number;
  /** One is no longer in the lane. */
  readonly left: (one: Waiting) => void;
  /** An attempt to send one has failed. */
  readonly failed: () => void;
}

/** How many that have waited are sent before the answer to the first is awaited. */
const CHUNK = 500;

/**
 * Publications that keep their order among each other. While what takes them is there each is sent at once; while it is
 * away they wait here, and this pod's members have them already.
 */
export class Lane {
  readonly #options: LaneOptions;
  /** Of one of its rooms, which are all in one place. */
  readonly #room: string;
  /** Oldest first; gone once history has it. */
  readonly #queue = new Set<Waiting>();
  /** Those of them that are not provisional (yet). */
  readonly #undelivered = new Set<Waiting>();
  #waits = 0;
  #sent = 0;
  #sentTo = '';
  /** They wait because they were not taken, and not only for their turn. */
  #away = false;
  #pumping: Promise<void> | undefined;

  constructor(room: string, options: LaneOptions) {
    this.#options = options;
    this.#room = room;
  }

  get empty(): boolean {
    return this.#queue.size === 0;
  }

  /** Publications that wait because what takes them is away. */
  get waiting(): number {
    return this.#away ? this.#waits : 0;
  }

  /** Whether one that came now would have to wait. */
  get away(): boolean {
    return this.#away || !this.#isUp();
  }

  add(one: Waiting): void {
    this.#queue.add(one);
    this.#undelivered.add(one);
    this.#waits += 1;
    this.#away = this.away;
    if (this.#away || this.#waits > 1 || this.#mustQueue()) this.#hold();
    else void this.#send(one);
  }

  /** What takes them is there: what waits goes out, in order. */
  pump(): Promise<void> {
    this.#pumping ??= this.#sendAll().finally(() => {
      this.#pumping = undefined;
      // One may have come back to wait at the very end.
      this.#pumpIfFree();
    });
    return this.#pumping;
  }

  /** Not while one is under way: it may still be taken, and what is sent now must not come before it. */
  #pumpIfFree(): void {
    if (this.#pumping !== undefined || this.#waits === 0 || this.#sent > 0) return;
    if (this.#isUp()) {
      void this.pump();
      return;
    }
    // They waited for their turn, and now for more than that.
    this.#away = true;
    this.#deliverHeld();
  }

  #mustQueue(): boolean {
    if (this.#sent === 0) return false;
    return this.#sent >= this.#options.atOnce || this.#options.whither(this.#room) !== this.#sentTo;
  }

  #isUp(): boolean {
    return this.#options.isUp(this.#room);
  }

  async #sendAll(): Promise<void> {
    if (this.#sent > 0) return;
    for (let attempt = 1; this.#waits > 0;) {
      if (!this.#isUp()) break;
      const before = this.#waits;
      await Promise.all(this.#next().map((one) => this.#send(one)));
      if (this.#waits < before || !this.#away) attempt = 1;
      else await this.#options.pause(attempt++);
    }
  }

  #next(): Waiting[] {
    const most = Math.min(CHUNK, this.#options.atOnce);
    const next: Waiting[] = [];
    for (const one of this.#queue) {
      if (one.state === 'waits') next.push(one);
      if (next.length === most) break;
    }
    return next;
  }

  async #send(one: Waiting): Promise<void> {
    one.state = 'sent';
    this.#sent += 1;
    this.#sentTo = this.#options.whither(this.#room);
    this.#waits -= 1;
    if (this.#waits === 0) this.#away = false;
    // What `send` reads of it is what was true until now.
    const sent = this.#options.send(one);
    one.sentAt ??= this.#options.now(one.room);
    try {
      const published = await sent;
      this.#sent -= 1;
      this.#end(one, published);
    } catch (error) {
      this.#sent -= 1;
      this.#options.failed();
      if (error instanceof Unavailable) this.#takeBack(one);
      else this.#fail(one, error as Error);
    }
    this.#pumpIfFree();
  }

  #end(one: Waiting, published: Published): void {
    this.#leave(one);
    if (one.provisional && published.duplicate) this.#options.forget(one, published.id);
    one.answered.resolve(published);
    one.settled?.resolve(published);
    this.#deliverHeld();
  }

  #fail(one: Waiting, error: Error): void {
    this.#leave(one);
    if (one.provisional) this.#options.forget(one);
    // Nothing happens where it was answered provisionally.
    one.answered.reject(error);
    one.settled?.reject(error);
    this.#deliverHeld();
  }

  /** It was not taken. */
  #takeBack(one: Waiting): void {
    one.state = 'waits';
    this.#waits += 1;
    this.#away = true;
    this.#deliverHeld();
  }

  /** The newest has to wait; whoever published need not, unless it is only for its turn. */
  #hold(): void {
    this.#deliverHeld();
    this.#pumpIfFree();
  }

  /** In order: while an earlier one may still be taken or come back to wait, a later one is not delivered. */
  #deliverHeld(): void {
    if (!this.#away) return;
    for (const one of this.#undelivered) {
      if (one.state === 'sent') return;
      this.#undelivered.delete(one);
      one.provisional = true;
      one.settled = Promise.withResolvers();
      const { promise: settled } = one.settled;
      // Nobody may be waiting for it.
      settled.catch(ignored);
      this.#options.deliver(one);
      one.answered.resolve({ id: one.provisionalId, duplicate: false, settled });
    }
  }

  #leave(one: Waiting): void {
    this.#queue.delete(one);
    this.#undelivered.delete(one);
    this.#options.left(one);
  }
}
