import type { Frame, Socket } from '../ports/socket.ts';
import type { Delivery } from './delivery.ts';
import type { Limits } from '../base/limits.ts';
import type { Tally } from '../base/tally.ts';
import type { Turn } from './turn.ts';

/** What an outbox holds: the bytes of one or more frames. Parcels of a room are shared by its members. */
export interface Parcel {
  readonly bytes: Frame;
  /** Number of frames. */
  readonly count: number;
  /** What it carries; absent if it is for this connection alone. */
  readonly deliveries?: readonly Delivery[];
  readonly room?: string;
  /** Whether it may wait a little for more that leaves in the same write. */
  readonly isPatient?: boolean;
}

/** What all outboxes of a pod share. */
export interface OutboxContext {
  readonly turn: Turn;
  readonly tally: Tally;
  readonly limits: Limits;
}

/**
 * The bounded send queue of a connection. Everything pushed in one turn of the event loop leaves in one write at its
 * end. While the socket is congested parcels wait here; `overflowed` tells the pusher that they exceed the limits.
 */
export class Outbox {
  readonly #socket: Socket;
  readonly #context: OutboxContext;
  /** Nearly always one parcel waits, so only a second one needs an array. */
  #first: Parcel | undefined;
  #others: Parcel[] | undefined;
  #count = 0;
  #bytes = 0;
  #isScheduled = false;
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
    if (this.#isScheduled) return;
    if (parcel.isPatient === true) {
      this.#context.turn.addPatientOutbox(this);
      return;
    }
    this.#isScheduled = true;
    this.#context.turn.addOutbox(this);
  }

  /**
   * Writes a parcel at once, without the queue; returns false if other parcels wait, or the socket is congested, or the
   * parcel is patient. It does not throw: the caller is amid the members of a room.
   */
  writeThrough(parcel: Parcel): boolean {
    if (this.#closed) return true;
    if (this.#first !== undefined || parcel.isPatient === true || this.#socket.congested) return false;
    this.#context.tally.sent += parcel.count;
    try {
      this.#socket.write(parcel.bytes);
    } catch (error) {
      this.#context.turn.failed(error);
    }
    return true;
  }

  /** Number of frames that wait. */
  get messages(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether more waits than the limits allow; a flush may help. */
  get overflowed(): boolean {
    const { outboxMessages, outboxBytes } = this.#context.limits;
    return this.#count > outboxMessages || this.#bytes > outboxBytes;
  }

  /** Removes and returns everything that waits. */
  takeAll(): Parcel[] {
    const parcels = this.#first === undefined ? [] : [this.#first, ...(this.#others ?? [])];
    this.#empty();
    return parcels;
  }

  /** Writes what waits. Called at the end of the turn, and when the socket is no longer congested. */
  flush(): void {
    this.#isScheduled = false;
    const first = this.#first;
    if (first === undefined || this.#closed || this.#socket.congested) return;
    const others = this.#others;
    this.#context.tally.sent += this.#count;
    this.#empty();
    if (others === undefined) this.#socket.write(first.bytes);
    else this.#socket.writeAll([first.bytes, ...others.map((parcel) => parcel.bytes)]);
  }

  /** Writes what waits, as far as the client reads, and ignores later parcels. */
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
