import { Outbox, type OutboxContext, type Parcel } from './outbox.ts';
import { shed } from './shed.ts';
import type { Action } from '../base/permissions.ts';
import type { Allowance } from '../base/allowance.ts';
import { CLOSE, type CloseCode } from '../../protocol/close-codes.ts';
import { reasonOf } from '../../protocol/close-reasons.ts';
import type { Dialect } from '../../protocol/dialect.ts';
import type { Framer, Socket } from '../ports/socket.ts';
import type { Membership } from './membership.ts';
import type { Occupant } from '../ports/presence-store.ts';
import type { Principal } from '../ports/principal.ts';
import type { ServerEvent } from '../../protocol/event.ts';
import type { UnderWay } from './publishing-order.ts';

/** What an upgrade brought. */
export interface NewConnection {
  readonly id: string;
  readonly principal: Principal;
  readonly room: string | undefined;
  /** Undefined: the first frame decides. */
  readonly dialect: Dialect | undefined;
  readonly socket: Socket;
  /** By `Clock.elapsed`. */
  readonly elapsed: number;
}

/** What all connections of a pod share. */
export interface ConnectionContext extends OutboxContext {
  readonly framer: Framer;
}

/** With these a pod ends connections that have done nothing wrong. */
const LEAVE_TAKING: ReadonlySet<number> = new Set([CLOSE.drain.code, CLOSE.goingAway.code]);

/** One client on this pod: who it is, how it speaks, where it is, and the way to it. */
export class Connection implements Occupant {
  readonly #context: ConnectionContext;
  readonly connectionId: string;
  /** Replaced by a newer one of the same user when the client sends a new token. */
  principal: Principal;
  /** The room of the address: what a command without a room means. */
  readonly room: string | undefined;
  readonly socket: Socket;
  readonly outbox: Outbox;
  /** Undefined until the first frame decides; nothing is sent before. */
  dialect: Dialect | undefined;
  /** A plain array: a connection is in few rooms, and thousands of maps would cost memory. */
  memberships: readonly Membership[] = [];
  /** Whether global and direct messages are for it (GLOBAL and DIRECT as bits of HEARS). */
  hears = 0;
  /** Frames in a row that could not be understood. */
  badFrames = 0;
  /** The heartbeat's tick at which the next ping is due (see ws/heartbeat.ts). */
  pingDue = 0;
  /** When it came, by `Clock.elapsed`. */
  readonly openedAt: number;
  /** When anything was last heard from it, by `Clock.elapsed`. */
  lastHeard: number;
  /** Nothing is said any more; set when a close begins. */
  closed = false;
  /** The code this pod closed it with. */
  closeCode: number | undefined;
  /** For how long after its close the client was asked to stay away; set only right before a close with 1012. */
  awayMs = 0;
  /** Rooms are being brought up to date after a lag (see catch-up.ts). */
  catchingUp = false;
  /** Made with the first frame, where frames are limited (see gateway.ts). */
  allowance: Allowance | undefined;
  /** What it has published and has no answer for yet (see publishing-order.ts). */
  underWay: UnderWay | undefined;
  /** Publications whose ack it waits for. */
  unanswered = 0;
  /** What waits for a command in progress; undefined while none is (see lane.ts). */
  backlog: (() => Promise<void> | undefined)[] | undefined;

  constructor({ id, principal, room, dialect, socket, elapsed }: NewConnection, context: ConnectionContext) {
    this.connectionId = id;
    this.principal = principal;
    this.room = room;
    this.dialect = dialect;
    this.socket = socket;
    this.openedAt = elapsed;
    this.lastHeard = elapsed;
    this.outbox = new Outbox(socket, context);
    this.#context = context;
  }

  get userId(): string {
    return this.principal.userId;
  }

  /** Whether its user may do this in the room, or with `@global` or `@direct`. */
  may(action: Action, name: string): boolean {
    return this.principal.permissions.allow(action, name, this.principal.userId);
  }

  /**
   * Whether what it says counts: not once the pod has had enough of it. Who closes as soon as it has said what it had
   * to say is heard, and so is who is only sent elsewhere: it may have published before the close reached it.
   */
  get isHeard(): boolean {
    return this.closeCode === undefined || LEAVE_TAKING.has(this.closeCode);
  }

  membership(room: string): Membership | undefined {
    return this.memberships.find((membership) => membership.room.name === room);
  }

  /**
   * Ends it in order: what the peer still reads, then the close frame, with a reason of its own or the usual one. The
   * transport reports when it is gone.
   */
  close(code: CloseCode, reason?: string): void {
    if (this.closed || this.closeCode !== undefined) return;
    this.closeCode = code.code;
    this.#context.turn.flush();
    this.closed = true;
    this.outbox.close();
    this.socket.close(code, reason || reasonOf(code));
  }

  /** Queues it; where the client does not read, something has to give (see shed.ts). */
  send(parcel: Parcel): void {
    this.outbox.push(parcel);
    if (!this.outbox.overflowed) return;
    // Not at the turn's end: whoever asks for much at once must not make the pod hold it all.
    this.outbox.flush();
    if (this.outbox.overflowed) shed(this, this.#context);
  }

  /** Says something to this connection alone, after whatever its rooms have for it in this turn. */
  answer(event: ServerEvent): void {
    this.#context.turn.addAnswer({ flush: () => this.tell(event) });
  }

  /** Says something to this connection alone; nothing where its dialect has no words for it. */
  tell(event: ServerEvent): void {
    const text = this.dialect?.event(event);
    if (text !== undefined) this.send({ bytes: this.#context.framer.frame(text), count: 1 });
  }
}
