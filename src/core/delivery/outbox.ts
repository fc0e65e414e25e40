import type { Frame, Socket } from '../ports/socket.ts';
import type { Delivery } from './delivery.ts';
import type { Limits } from '../base/limits.ts';
import type { Tally } from '../base/tally.ts';
import type { Turn } from './turn.ts';

/** What an outbox holds: bytes of one or more frames, shared with other connections where it comes from a room. */
export interface Parcel {
  readonly bytes: Frame;
  /** Frames in it. */
  readonly count: number;
  /** What it carries, where that came from a room; absent for what is said to this connection alone. */
  readonly deliveries?: readonly Delivery[];
  readonly room?: string;
}

/** What all outboxes of a pod share. */
export interface OutboxContext {
  readonly turn: Turn;
  readonly tally: Tally;
  readonly limits: Limits;
}

/**
 * A connection's bounded send queue. Everything pushed in one turn leaves in one write at its end; while the socket
 * is congested it waits here, and where that exceeds the bounds `overflowed` says so to whoever pushes.
 */
export class Outbox {
  readonly #socket: Socket;
  readonly #context: OutboxContext;
  /** Nearly always one parcel waits; an array is made only for the second. */
  #first: Parcel | undefined;
  #others: Parcel[] | undefined;
  #count = 0;
  #bytes = 0;
  #asked = false;
  #closed = false;

  constructor(socket: Socket, context: OutboxContext) {
    this.#socket = socket;
    this.#context = context;
  }

  push(parcel: Parcel): void {
    if (this.#closed) return;
    if (this.#first === undefined) this.#first = parcel;
    else (this.#others ??= []).push(parcel);
    this.#count += parcel.count;
    this.#bytes += parcel.bytes.length;
    if (this.#asked) return;
    this.#asked = true;
    this.#context.turn.addOutbox(this);
  }

  /** Frames that wait. */
  get messages(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** More waits than the limits allow; a flush may help. */
  get overflowed(): boolean {
    const { outboxMessages, outboxBytes } = this.#context.limits;
    return this.#count > outboxMessages || this.#bytes > outboxBytes;
  }

  /** Hands over all that waits, and waits for nothing any more. */
  takeAll(): Parcel[] {
    const parcels = this.#first === undefined ? [] : [this.#first, ...(this.#others ?? [])];
    this.#empty();
    return parcels;
  }

  /** Called by the turn at its end, and by the gateway when the socket is no longer congested. */
  flush(): void {
    this.#asked = false;
    const first = this.#first;
    if (first === undefined || this.#closed || this.#socket.congested) return;
    const others = this.#others;
    this.#context.tally.sent += this.#count;
    this.#empty();
    if (others === undefined) this.#socket.write(first.bytes);
    else this.#socket.writeAll([first.bytes, ...others.map((parcel) => parcel.bytes)]);
  }

  /** Sends what waits, as far as the peer reads, and takes nothing any more. */
  close(): void {
    this.flush();
    this.#closed = true;
    this.#empty();
  }

  #empty(): void {
    this.#first = undefined;
    this.#others = undefined;
    this.#count = 0;
    this.#bytes = 0;
  }
}
