import { CrosspodError, retryDelayMs } from './errors.ts';
import type { Clock } from './platform.ts';

/** As many as the server takes in one burst by default; more than these are refused at once. */
const MOST_PENDING = 100;
/** The server knows a `ref` for five minutes; what is sent again later might arrive twice. */
const REF_KNOWN_MS = 290_000;

interface Entry {
  readonly ref: string;
  readonly text: string;
  readonly resolve: (id: string) => void;
  readonly reject: (error: CrosspodError) => void;
  /** When it left first: the server may have it, and only its ack can tell. */
  sentAt: number | undefined;
}

/**
 * Publishes that wait for their ack, in order. After a reconnect those that may have arrived are sent again one at
 * a time, with the `ref` they had, so that the server can tell and none overtakes another; then what was never sent.
 */
export class Pending {
  readonly #clock: Clock;
  readonly #write: (text: string) => boolean;
  readonly #entries = new Map<string, Entry>();
  /** The one that is being sent again. */
  #again: Entry | undefined;
  #timer: unknown;

  constructor(clock: Clock, write: (text: string) => boolean) {
    this.#clock = clock;
    this.#write = write;
  }

  /**
   * Resolves with the message id of the ack; rejects with a CrosspodError, or with a TypeError where the frame is
   * none that JSON can hold.
   */
  add(ref: string, frame: object): Promise<string> {
    return new Promise((resolve, reject) => {
      // First of all: what cannot be written must take nobody's place.
      const text = JSON.stringify({ ...frame, ref });
      if (this.#entries.size >= MOST_PENDING) {
        reject(new CrosspodError('queue_full', `${MOST_PENDING} messages wait for their ack already`));
        return;
      }
      const entry: Entry = { ref, text, resolve, reject, sentAt: undefined };
      this.#entries.set(ref, entry);
      if (this.#again === undefined) this.#send(entry);
    });
  }

  /** The line is up (again). */
  resume(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#giveUpOld();
    const entries = [...this.#entries.values()];
    this.#again = entries.find(({ sentAt }) => sentAt !== undefined);
    if (this.#again !== undefined) return void this.#write(this.#again.text);
    for (const entry of entries) this.#send(entry);
  }

  acked(ref: string, id: string): void {
    this.#take(ref)?.resolve(id);
    this.#next(ref);
  }

  /** Whether it was one of these that the server refused. */
  refused(ref: string, error: CrosspodError): boolean {
    const delay = this.#again?.ref === ref ? retryDelayMs(error) : undefined;
    if (delay !== undefined) {
      // A refusal now says nothing of the first time: it may have been taken then, so the question stays open.
      this.#timer = this.#clock.setTimeout(() => this.resume(), delay);
      return true;
    }
    const entry = this.#take(ref);
    entry?.reject(error);
    this.#next(ref);
    return entry !== undefined;
  }

  /** Rejects all: no ack will come any more. */
  close(error: CrosspodError): void {
    this.#clock.clearTimeout(this.#timer);
    for (const entry of this.#entries.values()) entry.reject(error);
    this.#entries.clear();
  }

  #send(entry: Entry): void {
    if (this.#write(entry.text)) entry.sentAt = this.#clock.now();
  }

  #giveUpOld(): void {
    for (const { ref, sentAt, reject } of this.#entries.values()) {
      if (sentAt === undefined || this.#clock.now() - sentAt < REF_KNOWN_MS) continue;
      this.#entries.delete(ref);
      reject(new CrosspodError('outcome_unknown', 'no answer came in time; it may have arrived or not'));
    }
  }

  #take(ref: string): Entry | undefined {
    const entry = this.#entries.get(ref);
    this.#entries.delete(ref);
    return entry;
  }

  #next(ref: string): void {
    if (this.#again?.ref === ref) this.resume();
  }
}
