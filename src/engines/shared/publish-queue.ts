import type { Appended, Appender } from './appender.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { ignored } from './ignored.ts';
import { pause } from '../../core/base/pause.ts';
import type { Publication } from './publication.ts';
import type { Published } from '../../core/ports/broker.ts';
import { Unavailable } from './unavailable.ts';

/** What the owner of a queue does for it. */
export interface QueueOwner {
  /** Delivers a publication to this pod's members before the history stores it. */
  readonly deliver: (publication: Publication) => void;
  /** A publication that was delivered provisionally was refused, or is already stored under `id`. */
  readonly forget: (publication: Publication, id?: string) => void;
  /** The queue no longer holds the publication. */
  readonly left: (publication: Publication) => void;
  /** An attempt to append has failed. */
  readonly failed: () => void;
}

export interface QueueOptions {
  readonly appender: Appender;
  readonly clock: Clock;
}

/** So many buffered publications are sent at once; the next chunk follows when all of them are answered. */
const CHUNK = 500;
/** The pause after a failed attempt doubles with each failure in a row, up to the most. */
const PAUSE_MS = 100;
const MOST_PAUSE_MS = 2_000;

/**
 * Publications that keep their order among each other. While the history can be reached, each is sent at once. While it
 * cannot, they are buffered here, and this pod's members receive them provisionally.
 */
export class PublishQueue {
  readonly #appender: Appender;
  readonly #clock: Clock;
  readonly #owner: QueueOwner;
  /** One of the queue's rooms; all of them have the same destination. */
  readonly #room: string;
  /** Oldest first, until the history has stored them. */
  readonly #all = new Set<Publication>();
  /** Those that are not provisional yet, oldest first. */
  readonly #undelivered = new Set<Publication>();
  #waits = 0;
  #inFlight = 0;
  /** Where those in flight were sent. */
  #destination = '';
  /** Publications wait because the history does not take them, and not only for their turn. */
  #buffering = false;
  #pumping: Promise<void> | undefined;

  constructor(room: string, { appender, clock }: QueueOptions, owner: QueueOwner) {
    this.#room = room;
    this.#appender = appender;
    this.#clock = clock;
    this.#owner = owner;
  }

  get empty(): boolean {
    return this.#all.size === 0;
  }

  /** How many publications wait because the history does not take them. */
  get waiting(): number {
    return this.#buffering ? this.#waits : 0;
  }

  /** Whether a publication that came now would be buffered. */
  get buffering(): boolean {
    return this.#buffering || !this.#reaches();
  }

  add(publication: Publication): void {
    this.#all.add(publication);
    this.#undelivered.add(publication);
    this.#waits += 1;
    this.#buffering = this.buffering;
    if (this.#buffering || this.#waits > 1 || this.#mustWait()) {
      this.#deliverProvisionally();
      this.#pumpIfFree();
    } else this.#send(publication);
  }

  /** Sends what waits, in order, now that the history can be reached. */
  pump(): Promise<void> {
    this.#pumping ??= this.#sendAll().finally(() => {
      this.#pumping = undefined;
      // The last one sent may have failed and wait again.
      this.#pumpIfFree();
    });
    return this.#pumping;
  }

  /** Not while one is in flight: the history may still take it, and what is sent now must not overtake it. */
  #pumpIfFree(): void {
    if (this.#pumping !== undefined || this.#waits === 0 || this.#inFlight > 0) return;
    if (this.#reaches()) {
      void this.pump();
      return;
    }
    this.#buffering = true;
    this.#deliverProvisionally();
  }

  /** Whether one more in flight would be too many, or could overtake one that is in flight elsewhere. */
  #mustWait(): boolean {
    if (this.#inFlight === 0) return false;
    const { mostInFlight, destinationOf } = this.#appender;
    return this.#inFlight >= mostInFlight || destinationOf(this.#room) !== this.#destination;
  }

  #reaches(): boolean {
    return this.#appender.reaches(this.#room);
  }

  async #sendAll(): Promise<void> {
    if (this.#inFlight > 0) return;
    for (let attempt = 1; this.#waits > 0;) {
      if (!this.#reaches()) break;
      const before = this.#waits;
      await Promise.all(this.#next().map((one) => new Promise<void>((ended) => this.#send(one, ended))));
      if (this.#waits < before || !this.#buffering) attempt = 1;
      else await pause(this.#clock, Math.min(PAUSE_MS * 2 ** attempt++, MOST_PAUSE_MS));
    }
  }

  #next(): Publication[] {
    const most = Math.min(CHUNK, this.#appender.mostInFlight);
    const next: Publication[] = [];
    for (const one of this.#all) {
      if (!one.inFlight) next.push(one);
      if (next.length === most) break;
    }
    return next;
  }

  /** Calls `ended` when the attempt has succeeded or failed. */
  #send(publication: Publication, ended?: () => void): void {
    publication.inFlight = true;
    this.#inFlight += 1;
    this.#destination = this.#appender.destinationOf(this.#room);
    this.#waits -= 1;
    if (this.#waits === 0) this.#buffering = false;
    // `append` reads `sentAt` at once: it must not see this attempt in it.
    this.#appender.append(publication, (appended) => {
      this.#take(publication, appended);
      ended?.();
    });
    publication.sentAt ??= this.#appender.now(publication.room);
  }

  #take(publication: Publication, appended: Appended): void {
    this.#inFlight -= 1;
    if (!(appended instanceof Error)) this.#end(publication, appended);
    else {
      this.#owner.failed();
      if (appended instanceof Unavailable) this.#takeBack(publication);
      else this.#refuse(publication, appended);
    }
    this.#pumpIfFree();
  }

  #end(publication: Publication, published: Published): void {
    this.#leave(publication);
    if (publication.provisional && published.duplicate) this.#owner.forget(publication, published.id);
    const answer = published.duplicate && publication.failed ? { ...published, maybeFirst: true } : published;
    publication.answered.resolve(answer);
    publication.settled?.resolve(answer);
    this.#deliverProvisionally();
  }

  #refuse(publication: Publication, error: Error): void {
    this.#leave(publication);
    if (publication.provisional) this.#owner.forget(publication);
    // Without effect where the publisher was answered provisionally.
    publication.answered.reject(error);
    publication.settled?.reject(error);
    this.#deliverProvisionally();
  }

  /** The history did not take it: it waits again. */
  #takeBack(publication: Publication): void {
    publication.inFlight = false;
    publication.failed = true;
    this.#waits += 1;
    this.#buffering = true;
    this.#deliverProvisionally();
  }

  /**
   * While this queue buffers: delivers what waits, and answers its publishers. It stops at a publication in flight,
   * which may still be stored, or come back to wait: members must not receive a later one first.
   */
  #deliverProvisionally(): void {
    if (!this.#buffering) return;
    for (const one of this.#undelivered) {
      if (one.inFlight) return;
      this.#undelivered.delete(one);
      one.provisional = true;
      one.settled = Promise.withResolvers();
      const { promise: settled } = one.settled;
      // Without this a rejection that no publisher waits for would end the process.
      settled.catch(ignored);
      this.#owner.deliver(one);
      one.answered.resolve({ id: one.provisionalId, duplicate: false, settled });
    }
  }

  #leave(publication: Publication): void {
    this.#all.delete(publication);
    this.#undelivered.delete(publication);
    this.#owner.left(publication);
  }
}
