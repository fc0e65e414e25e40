import { CrosspodError, retryDelayMs } from './errors.ts';
import type { Clock } from './platform.ts';

/** As many as the server takes in one burst by default; more than these are refused at once. */
const MOST_PENDING = 100;
/** The server knows a `ref` for five minutes; what is sent again later might arrive twice. */
const REF_KNOWN_MS = 290_000;
/**
 * A pod refuses at once, but acks what it took only when its history has it, and that may be away for minutes. It has
 * noticed so by then, and has given the message to its own members.
 */
const ACK_MS = 2_500;
/** From then on the rest follows so fast, which is slower than a connection may send by default. */
const PACE_MS = 30;

interface Entry {
  readonly ref: string;
  readonly text: string;
  readonly resolve: (id: string) => void;
  readonly reject: (error: CrosspodError) => void;
  /** When it left first: the server may have it, and only its ack can tell. */
  sentAt: number | undefined;
  /** `waits`: it was there already when the line came up. `open`: it was, and has been sent again since. */
  state: 'new' | 'waits' | 'open';
}

/**
 * Publishes that wait for their ack, in order. When the line comes up what has waited is sent one at a time, so that
 * none overtakes another and one that is refused for now can be sent again; what may have arrived already keeps its
 * `ref`, by which the server can tell. Then follows what has come since. A server that has nothing to say for long has
 * taken it, and the others need not wait for the ack.
 */
export class Pending {
  readonly #clock: Clock;
  readonly #write: (text: string, ref: string) => boolean;
  readonly #entries = new Map<string, Entry>();
  /** Of those that have waited the one whose turn it is. */
  #current: Entry | undefined;
  /** How long that one is waited for. */
  #patienceMs = ACK_MS;
  #timer: unknown;

  constructor(clock: Clock, write: (text: string, ref: string) => boolean) {
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
      const entry: Entry = { ref, text, resolve, reject, sentAt: undefined, state: 'new' };
      this.#entries.set(ref, entry);
      if (this.#current === undefined) this.#send(entry);
    });
  }

  /** The line is up (again). */
  resume(): void {
    for (const entry of this.#entries.values()) entry.state = 'waits';
    this.#patienceMs = ACK_MS;
    this.#goOn();
  }

  acked(ref: string, id: string): void {
    this.#take(ref)?.resolve(id);
    this.#next(ref);
  }

  /** Whether it was one of these that the server refused. */
  refused(ref: string, error: CrosspodError): boolean {
    const again = this.#entries.get(ref);
    const delay = again === undefined || again.state === 'new' ? undefined : retryDelayMs(error);
    if (again !== undefined && delay !== undefined) {
      // A refusal now says nothing of the first time: it may have been taken then, so the question stays open.
      again.state = 'waits';
      this.#current ??= again;
      this.#clock.clearTimeout(this.#timer);
      this.#timer = this.#clock.setTimeout(() => this.#goOn(), delay);
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

  #goOn(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#giveUpOld();
    const entries = [...this.#entries.values()];
    const current = entries.find(({ state }) => state === 'waits');
    this.#current = current;
    if (current === undefined) {
      for (const entry of entries) if (entry.state === 'new') this.#send(entry);
      return;
    }
    this.#send(current);
    this.#timer = this.#clock.setTimeout(() => this.#leaveOpen(current), this.#patienceMs);
  }

  #leaveOpen(entry: Entry): void {
    entry.state = 'open';
    this.#patienceMs = PACE_MS;
    this.#goOn();
  }

  #send(entry: Entry): void {
    if (this.#write(entry.text, entry.ref)) entry.sentAt ??= this.#clock.now();
  }

  #giveUpOld(): void {
    for (const { ref, sentAt, reject } of this.#entries.values()) {
      if (sentAt === undefined || this.#clock.now() - sentAt < REF_KNOWN_MS) continue;
      this.#entries.delete(ref);
      reject(
        new CrosspodError('outcome_unknown', 'not confirmed in five minutes; it may have arrived or not'),
      );
    }
  }

  #take(ref: string): Entry | undefined {
    const entry = this.#entries.get(ref);
    this.#entries.delete(ref);
    return entry;
  }

  #next(ref: string): void {
    if (this.#current?.ref === ref) this.#goOn();
  }
}
