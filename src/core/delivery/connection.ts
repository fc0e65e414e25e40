import { CLOSE, type CloseCode } from '../../protocol/close-codes.ts';
import type { Framer, Socket } from '../ports/socket.ts';
import type { Membership, Recipient } from './membership.ts';
import { Outbox, type OutboxContext, type Parcel } from './outbox.ts';
import type { Action } from '../base/permissions.ts';
import { CommandQueue } from './command-queue.ts';
import type { Dialect } from '../../protocol/dialect.ts';
import { FrameLimits } from '../base/frame-limits.ts';
import { RoomRates } from '../base/room-rates.ts';
import type { Principal } from '../ports/principal.ts';
import { Publications } from './publications.ts';
import type { ServerEvent } from '../../protocol/event.ts';
import { reasonOf } from '../../protocol/close-reasons.ts';
import { shed } from './shed.ts';

/** The channels outside of rooms that a connection may subscribe, as bits. */
export const CHANNELS = { none: 0, global: 1, direct: 2, both: 3 } as const;

/** What of a client's request hooks may see, besides its token. Never logged or traced. */
export interface Source {
  readonly headers: Readonly<Record<string, string>>;
  readonly remote: string;
}

/** Who gave a connection a room, as bits: a claim of its token, the backend's `connect`, the API, PERSONAL_ROOM. */
export const GIVEN_BY = { claim: 1, connect: 2, api: 4, personal: 8 } as const;

export type GivenBy = keyof typeof GIVEN_BY;

/** What an upgrade brought. */
export interface NewConnection {
  readonly id: string;
  readonly principal: Principal;
  readonly room: string | undefined;
  /** Undefined if the first frame decides. */
  readonly dialect: Dialect | undefined;
  readonly socket: Socket;
  /** Undefined if no hook sees it. */
  readonly source?: Source | undefined;
  /** By `Clock.elapsed`. */
  readonly elapsed: number;
}

/** What all connections of a pod share. */
export interface ConnectionContext extends OutboxContext {
  readonly framer: Framer;
}

/** The pod closes with these codes connections that have done nothing wrong. */
const BLAMELESS: ReadonlySet<number> = new Set([CLOSE.drain.code, CLOSE.goingAway.code]);

/** One client's connection to this pod: its user, its dialect, its rooms and its way back to the client. */
export class Connection implements Recipient {
  readonly #context: ConnectionContext;
  readonly connectionId: string;
  readonly userId: string;
  /** The room in the address: what a command that names no room means. */
  readonly room: string | undefined;
  readonly socket: Socket;
  /** Undefined if no hook sees it. */
  readonly source: Source | undefined;
  readonly outbox: Outbox;
  readonly commands: CommandQueue;
  readonly publications = new Publications();
  readonly frames = new FrameLimits();
  /** When it was opened, by `Clock.elapsed`. */
  readonly openedAt: number;
  #principal: Principal;
  #roomRates: RoomRates | undefined;
  /** The rooms that the server gave it, with bits of GIVEN_BY; undefined while there are none. */
  #given: Map<string, number> | undefined;
  #dialect: Dialect | undefined;
  /** A plain array: a connection is in few rooms, and thousands of maps would cost memory. */
  #memberships: readonly Membership[] = [];
  #channels: number = CHANNELS.none;
  #lastHeard: number;
  #closed = false;
  #closeCode: number | undefined;
  #awayMs = 0;
  /** Answers that are told at the end of this turn. */
  #answersDue = 0;

  constructor(
    { id, principal, room, dialect, socket, source, elapsed }: NewConnection,
    context: ConnectionContext,
  ) {
    this.#context = context;
    this.connectionId = id;
    this.userId = principal.userId;
    this.room = room;
    this.socket = socket;
    this.source = source;
    this.outbox = new Outbox(socket, context);
    this.commands = new CommandQueue(socket);
    this.openedAt = elapsed;
    this.#principal = principal;
    this.#dialect = dialect;
    this.#lastHeard = elapsed;
  }

  /** Its user, and what that user may do. */
  get principal(): Principal {
    return this.#principal;
  }

  /** When its token expires, in milliseconds since 1970; undefined if it does not. */
  get expiresAt(): number | undefined {
    return this.#principal.expiresAt;
  }

  /** Undefined until the first frame decides; nothing is sent before. */
  get dialect(): Dialect | undefined {
    return this.#dialect;
  }

  get memberships(): readonly Membership[] {
    return this.#memberships;
  }

  /** When the client last gave a sign of life, by `Clock.elapsed`. */
  get lastHeard(): number {
    return this.#lastHeard;
  }

  /** Nothing is sent any more: a close has begun, or the socket is gone. */
  get closed(): boolean {
    return this.#closed;
  }

  /** The code with which this pod closed it. */
  get closeCode(): number | undefined {
    return this.#closeCode;
  }

  /** For how many milliseconds after a close with 1012 the pod asked the client to stay away. */
  get awayMs(): number {
    return this.#awayMs;
  }

  /**
   * Whether the pod still carries out what this client sends. After a close it does so only for a client that did
   * nothing wrong: the client may have published before the close reached it.
   */
  get acceptsFrames(): boolean {
    return this.#closeCode === undefined || BLAMELESS.has(this.#closeCode);
  }

  /**
   * Whether its user may do this in a room, or with `@global` or `@direct`. A room that the server gave may be joined
   * and read.
   */
  may(action: Action, name: string): boolean {
    if (this.#principal.permissions.allow(action, name, this.userId)) return true;
    return action !== 'publish' && action !== 'api' && this.isGiven(name);
  }

  /** Whether the server gave it the room. */
  isGiven(room: string): boolean {
    return this.#given?.has(room) === true;
  }

  /** The rooms that were given by one of the givers. */
  givenBy(by: GivenBy): string[] {
    return Array.from(this.#given ?? [], ([room, bits]) => ((bits & GIVEN_BY[by]) === 0 ? '' : room)).filter(
      Boolean,
    );
  }

  /** The connection may join and read the room whatever its permissions are. */
  give(room: string, by: GivenBy): void {
    this.#given ??= new Map();
    this.#given.set(room, (this.#given.get(room) ?? 0) | GIVEN_BY[by]);
  }

  /** One giver takes the room back. */
  takeBack(room: string, by: GivenBy): void {
    const rest = (this.#given?.get(room) ?? 0) & ~GIVEN_BY[by];
    if (rest === 0) this.#given?.delete(room);
    else this.#given?.set(room, rest);
  }

  /** Whether its user may do what needs the HTTP API. */
  get mayCallApi(): boolean {
    return this.#principal.permissions.allowApi;
  }

  /** What it published in rooms that have a limit of their own; created when it publishes in the first. */
  get roomRates(): RoomRates {
    return (this.#roomRates ??= new RoomRates());
  }

  /** Takes the permissions and the expiry of a new token of the same user. */
  renewPrincipal(principal: Principal): void {
    this.#principal = principal;
  }

  /** Speaks this dialect from now on, and subscribes the channels that the dialect gives unasked. */
  speak(dialect: Dialect): void {
    this.#dialect = dialect;
    this.#channels = dialect.hearsAll ? CHANNELS.both : CHANNELS.none;
  }

  /** Subscribes channels, bits of CHANNELS. */
  subscribe(channels: number): void {
    this.#channels |= channels;
  }

  unsubscribe(channels: number): void {
    this.#channels &= ~channels;
  }

  /** Whether it has subscribed a channel, one bit of CHANNELS. */
  isSubscribed(channel: number): boolean {
    return (this.#channels & channel) !== 0;
  }

  /** The client gave a sign of life; `elapsed` is `Clock.elapsed`. */
  heard(elapsed: number): void {
    this.#lastHeard = elapsed;
  }

  /** Does not count so many milliseconds as silence of the client. */
  excuseSilence(ms: number): void {
    this.#lastHeard += ms;
  }

  membership(room: string): Membership | undefined {
    return this.#memberships.find((membership) => membership.room.name === room);
  }

  /** Called by the room alone. */
  addMembership(membership: Membership): void {
    this.#memberships = this.#memberships.concat([membership]);
  }

  /** Called by the room alone. */
  removeMembership(membership: Membership): void {
    this.#memberships = this.#memberships.filter((other) => other !== membership);
  }

  /** The transport has lost the socket. */
  lost(): void {
    this.#closed = true;
    this.outbox.close();
  }

  /**
   * Closes it in order: first what the client still reads, then the close frame, with this reason or the usual one of
   * the code. The transport reports when the socket is gone.
   */
  close(code: CloseCode, reason?: string): void {
    if (this.#closed || this.#closeCode !== undefined) return;
    this.#closeCode = code.code;
    this.#context.turn.flush();
    this.lost();
    this.socket.close(code, reason || reasonOf(code));
  }

  /** Tells the client to reconnect after `awayMs` milliseconds, and closes with 1012. `at` is the time of the event. */
  sendAway(awayMs: number, at: number): void {
    this.#awayMs = awayMs;
    this.tell({ kind: 'drain', reconnectAfterMs: awayMs, at });
    this.close(CLOSE.drain);
  }

  /** Queues a parcel; if the client does not read, something has to give (see shed.ts). */
  send(parcel: Parcel): void {
    this.outbox.push(parcel);
    if (!this.outbox.overflowed) return;
    // Not only at the end of the turn: a client that asks for much at once must not make the pod hold all of it.
    this.outbox.flush();
    if (this.outbox.overflowed) shed(this, this.#context);
  }

  /**
   * Sends the only parcel of this turn: at once if nothing else waits or is due, so that each client gets one write.
   */
  sendAlone(parcel: Parcel): void {
    if (this.#answersDue > 0 || !this.outbox.writeThrough(parcel)) this.send(parcel);
  }

  /** Tells this client something, behind what its rooms have for it in this turn. */
  answer(event: ServerEvent): void {
    this.#answersDue += 1;
    this.#context.turn.addAnswer(new Answer(this, event));
  }

  /** Called at the end of the turn for each event given to `answer`. */
  tellAnswer(event: ServerEvent): void {
    this.#answersDue -= 1;
    this.tell(event);
  }

  /** Tells this client something, if its dialect has words for it. */
  tell(event: ServerEvent): void {
    const text = this.#dialect?.event(event);
    if (text !== undefined) this.send({ bytes: this.#context.framer.frame(text), count: 1 });
  }
}

/** An answer that is told at the end of the turn. A class, since a closure would cost each ack twice the memory. */
class Answer {
  readonly #connection: Connection;
  readonly #event: ServerEvent;

  constructor(connection: Connection, event: ServerEvent) {
    this.#connection = connection;
    this.#event = event;
  }

  flush(): void {
    this.#connection.tellAnswer(this.#event);
  }
}
