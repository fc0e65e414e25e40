import { CrosspodError, retryDelayMs } from './errors.ts';
import type { Clock } from './platform.ts';

/** As many messages as a server accepts in one burst by default; it would reject more at once. */
const MAX_PENDING = 100;
/** The server remembers a `ref` for five minutes; a message sent again after that might arrive twice. */
const REF_KNOWN_MS = 290_000;
/**
 * A pod rejects a message at once, but acks it only when the history has stored it, and the history may be unavailable
 * for minutes. After this time the pod has noticed that, and has delivered the message to its own members.
 */
const ACK_MS = 2_500;
/** The pace at which the rest follows, which is below the default rate limit of a connection. */
const PACE_MS = 30;

interface Entry {
  readonly ref: string;
  readonly text: string;
  readonly resolve: (id: string) => void;
  readonly reject: (error: CrosspodError) => void;
  /** When it was first sent. From then on the server may have it, and only the ack can tell. */
  sentAt: number | undefined;
  /** `new`: added on this connection. `waiting`: added before, and not resent yet. `resent`: resent on this one. */
  state: 'new' | 'waiting' | 'resent';
}

/**
 * Messages that wait for their ack, in order. After a reconnect, the messages from before are sent one at a time, so
 * that none overtakes another and one that is rejected for now can be sent again. They keep their `ref`, by which the
 * server recognizes one that has arrived already. Then the newer messages follow. If the server does not answer within
 * 2.5 s, it has accepted the message, and the next ones need not wait for the ack.
 */
export class Pending {
  readonly #clock: Clock;
  readonly #write: (text: string, ref: string) => boolean;
  readonly #entries = new Map<string, Entry>();
  /** The message from before the reconnect whose turn it is. */
  #current: Entry | undefined;
  /** How long to wait for its answer. */
  #answerMs = ACK_MS;
  #timer: unknown;

  /** `write` sends a frame if the client is connected, and returns whether it did. */
  constructor(clock: Clock, write: (text: string, ref: string) => boolean) {
    this.#clock = clock;
    this.#write = write;
  }

  /**
   * Resolves with the message id from the ack. Rejects with a CrosspodError, or with a TypeError if the frame cannot be
   * written as JSON.
   */
  add(ref: string, frame: object): Promise<string> {
    return new Promise((resolve, reject) => {
      // Before anything else: a frame that cannot be written must not take a place in the queue.
      const text = JSON.stringify({ ...frame, ref });
      if (this.#entries.size >= MAX_PENDING) {
        reject(new CrosspodError('queue_full', `${MAX_PENDING} messages already wait for their ack`));
        return;
      }
      const entry: Entry = { ref, text, resolve, reject, sentAt: undefined, state: 'new' };
      this.#entries.set(ref, entry);
      if (this.#current === undefined) this.#send(entry);
    });
  }

  /** The client is connected (again). */
  resume(): void {
    for (const entry of this.#entries.values()) entry.state = 'waiting';
    this.#answerMs = ACK_MS;
    this.#sendNext();
  }

  acked(ref: string, id: string): void {
    this.#take(ref)?.resolve(id);
    this.#answered(ref);
  }

  /** The server rejected the frame `ref`. Returns whether it was one of these messages. */
  rejected(ref: string, error: CrosspodError): boolean {
    const again = this.#entries.get(ref);
    const delay = again === undefined || again.state === 'new' ? undefined : retryDelayMs(error);
    if (again !== undefined && delay !== undefined) {
      // The server may have accepted it before the reconnect; this rejection does not tell.
      again.state = 'waiting';
      this.#current ??= again;
      this.#clock.clearTimeout(this.#timer);
      this.#timer = this.#clock.setTimeout(() => this.#sendNext(), delay);
      return true;
    }
    const entry = this.#take(ref);
    entry?.reject(error);
    this.#answered(ref);
    return entry !== undefined;
  }

  /** Rejects all messages, because no ack will come any more. */
  close(error: CrosspodError): void {
    this.#clock.clearTimeout(this.#timer);
    for (const entry of this.#entries.values()) entry.reject(error);
    this.#entries.clear();
  }

  #sendNext(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#giveUpOld();
    const entries = [...this.#entries.values()];
    const current = entries.find(({ state }) => state === 'waiting');
    this.#current = current;
    if (current === undefined) {
      for (const entry of entries) if (entry.state === 'new') this.#send(entry);
      return;
    }
    this.#send(current);
    this.#timer = this.#clock.setTimeout(() => this.#sendNextWithoutAck(current), this.#answerMs);
  }

  #sendNextWithoutAck(entry: Entry): void {
    entry.state = 'resent';
    this.#answerMs = PACE_MS;
    this.#sendNext();
  }

  #send(entry: Entry): void {
    if (this.#write(entry.text, entry.ref)) entry.sentAt ??= this.#clock.now();
  }

  #giveUpOld(): void {
    for (const { ref, sentAt, reject } of this.#entries.values()) {
      if (sentAt === undefined || this.#clock.now() - sentAt < REF_KNOWN_MS) continue;
      this.#entries.delete(ref);
      reject(
        new CrosspodError(
          'outcome_unknown',
          'no ack within five minutes; the message may have arrived or not',
        ),
      );
    }
  }

  #take(ref: string): Entry | undefined {
    const entry = this.#entries.get(ref);
    this.#entries.delete(ref);
    return entry;
  }

  #answered(ref: string): void {
    if (this.#current?.ref === ref) this.#sendNext();
  }
}
