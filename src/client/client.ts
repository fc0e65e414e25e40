import { socketUrl } from './address.ts';
import { CrosspodError } from './errors.ts';
import { KnownRooms } from './known-rooms.ts';
import { Line, type Closed, type LineOptions, type State } from './connection.ts';
import { Membership, type RoomLink } from './membership.ts';
import { type AnyEvents, type EventName, Messages, publication, type SendOptions } from './messages.ts';
import { Pending } from './pending.ts';
import { type Clock, type Platform, platformWith } from './platform.ts';
import { Room } from './room.ts';
import { type Off, Signal } from './signal.ts';
import type { TokenSource } from './token.ts';
import { errorOf, type Fields, fieldsOf, type Frame, isLonger, type Message, numberOr } from './wire.ts';

export type { Closed, State } from './connection.ts';
export type { Gap, JoinOptions } from './membership.ts';
export type { AnyEvents, SendOptions } from './messages.ts';
export type { Platform } from './platform.ts';
export type { Room } from './room.ts';
export type { Off } from './signal.ts';
export type { Token, TokenSource } from './token.ts';
export type { Joined, Member, Message, Status, UnrecoveredReason } from './wire.ts';
export { CrosspodError } from './errors.ts';

export interface CrosspodOptions {
  /** Who connects, while the server's authentication is off. Without it a `send` is not safe against doubles. */
  readonly userId?: string;
  /**
   * Asked for a token before every connection, and half a minute before the token ends; the connection goes on with
   * the new one. If it rejects, the client asks again later.
   */
  readonly getToken?: TokenSource;
  /** In place of what the runtime offers, for those that lack a WebSocket and for tests. */
  readonly platform?: Partial<Platform>;
}

/**
 * A connection to Crosspod that reconnects, resumes its rooms where they were and sends again what was not acked.
 * It connects at once. `url` is where the server listens for WebSockets, `ws(s)://host/ws` (http and https are
 * understood as well); throws a TypeError if it is no URL. `Events` are those of direct and global messages.
 */
export class Crosspod<Events extends object = AnyEvents> {
  readonly #states = new Signal<[state: State, closed: Closed | undefined]>();
  readonly #errors = new Signal<[CrosspodError]>();
  readonly #messages = new Messages();
  readonly #rooms = new KnownRooms();
  /** Those with listeners, which must be there when the application asks for the room again. */
  readonly #heard = new Set<object | undefined>();
  /** Those that are joined or about to be, by room. */
  readonly #memberships = new Map<string, Membership>();
  /** Those that will be when a client that is closed connects again, by room. */
  readonly #waiting = new Map<string, Membership>();
  /** Refs of joins that nobody waits for any more. */
  readonly #abandoned = new Set<string>();
  readonly #options: LineOptions;
  #line: Line;
  readonly #pending: Pending;
  readonly #refPrefix: string;
  readonly #link: RoomLink;
  #refs = 0;
  #userId: string | undefined;
  /** The user of the line before, until the present one is up; undefined: there was none, or nobody by name. */
  #formerUser: string | undefined;
  /** Of a frame: a longer one ends the connection. Older servers do not say. */
  #mostBytes = Infinity;

  constructor(url: string, options: CrosspodOptions = {}) {
    const platform = platformWith(options.platform ?? {});
    const { clock, random } = platform;
    // Refs are compared per user, not per connection: two clients of one user must not use the same.
    this.#refPrefix = `${random().toString(36).slice(2)}${random().toString(36).slice(2)}`;
    this.#options = { url: socketUrl(url, options.userId), getToken: options.getToken, platform };
    this.#line = this.#newLine();
    this.#link = this.#linkOf(clock);
    this.#pending = new Pending(clock, (text, ref) => this.#send(text, ref));
    this.#line.open();
  }

  get state(): State {
    return this.#line.state;
  }

  /** How the server names this user in `from`; known once connected. */
  get userId(): string | undefined {
    return this.#userId;
  }

  /**
   * Called when the state changes, and again after each attempt that failed, with how the connection or the attempt
   * ended. `closed` is final until `connect`; every other loss ends in `connected` again.
   */
  onState(listener: (state: State, closed: Closed | undefined) => void): Off {
    return this.#states.on(listener);
  }

  /** The server refused something that nobody waits for. Without a listener a warning is printed. */
  onError(listener: (error: CrosspodError) => void): Off {
    return this.#errors.on(listener);
  }

  /** Direct and global messages, by the name of their event. */
  on<Name extends EventName<Events>>(event: Name, listener: (message: Message<Events[Name]>) => void): Off {
    return this.#messages.on(event, listener as (message: Message) => void);
  }

  /** Every direct and global message. */
  onMessage(listener: (message: Message<Events[EventName<Events>]>) => void): Off {
    return this.#messages.any.on(listener as (message: Message) => void);
  }

  /**
   * The room of this name, the same object every time; nothing is sent until somebody listens, joins or sends.
   * Throws a TypeError for an empty name, which the server would take for everybody.
   */
  room<RoomEvents extends object = AnyEvents>(name: string): Room<RoomEvents> {
    const known = this.#rooms.find(requireName(name));
    if (known !== undefined) return known as Room<RoomEvents>;
    const membership =
      this.#memberships.get(name) ?? this.#waiting.get(name) ?? new Membership(name, this.#link);
    const room: Room<RoomEvents> = new Room(membership, {
      publish: (data, options) => this.#publish({ room: name }, data, options),
      heard: () => void this.#heard.add(room),
    });
    this.#rooms.keep(name, room);
    return room;
  }

  /** Publishes to every connection of a user (or to one: `conn:<id>`); resolves and rejects as `room.send`. */
  async sendTo<Name extends EventName<Events> = 'chat' & EventName<Events>>(
    user: string,
    data: Events[Name],
    options: SendOptions<Name> = {},
  ): Promise<string> {
    return this.#publish({ to: requireName(user) }, data, options);
  }

  /** Publishes to every connection of every user; resolves and rejects as `room.send`. */
  broadcast<Name extends EventName<Events> = 'chat' & EventName<Events>>(
    data: Events[Name],
    options: SendOptions<Name> = {},
  ): Promise<string> {
    return this.#publish({}, data, options);
  }

  /** Ends the connection; what still waits for an answer rejects with `closed`. Nothing brings it back but `connect`. */
  close(): void {
    this.#line.close();
  }

  /**
   * Connects again where the client is `closed`, as after a new login; else it does nothing. Who was in a room, or has
   * begun to listen to it since, is in it again: the same user after the last message it had, another one as if it came
   * for the first time.
   */
  connect(): void {
    if (this.#line.state !== 'closed') return;
    this.#formerUser = this.#userId;
    this.#line = this.#newLine();
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const membership of waiting) membership.reopen();
    this.#line.open();
    this.#states.emit(this.#line.state, undefined);
  }

  #newLine(): Line {
    return new Line(this.#options, {
      state: (state, closed) => this.#stateChanged(state, closed),
      frame: (frame) => this.#receive(frame),
    });
  }

  #linkOf(clock: Clock): RoomLink {
    return {
      clock,
      isClosed: () => this.#line.state === 'closed',
      userId: () => this.#userId,
      nextRef: () => this.#nextRef(),
      write: (text, ref) => this.#send(text, ref),
      report: (error) => this.#report(error),
      begun: (membership) => void this.#memberships.set(membership.room, membership),
      waits: (membership) => void this.#waiting.set(membership.room, membership),
      ended: ({ room, isHeard }, joinRef) => {
        this.#memberships.delete(room);
        this.#waiting.delete(room);
        if (!isHeard) this.#heard.delete(this.#rooms.find(room));
        if (joinRef !== undefined) this.#abandoned.add(joinRef);
      },
    };
  }

  #nextRef(): string {
    this.#refs += 1;
    return `${this.#refPrefix}-${this.#refs}`;
  }

  #publish(where: object, data: unknown, options: SendOptions): Promise<string> {
    if (this.#line.state === 'closed') return Promise.reject(closedError());
    return this.#pending.add(this.#nextRef(), { ...publication(data, options), ...where });
  }

  #stateChanged(state: State, closed: Closed | undefined): void {
    if (state === 'closed') {
      const error = closedError(closed);
      for (const membership of this.#memberships.values()) membership.close(error);
      this.#pending.close(error);
    }
    if (state === 'connected') {
      for (const membership of this.#memberships.values()) membership.enter();
      this.#pending.resume();
    }
    this.#abandoned.clear();
    // Last: what a listener does comes after what has waited.
    this.#states.emit(state, closed);
  }

  #receive(frame: Frame): void {
    if (frame.type === 'ack') return this.#pending.acked(frame.ref ?? '', frame.id ?? '');
    if (frame.type === 'error') return this.#refused(frame.ref, errorOf(frame));
    if (frame.event === 'connected' && frame.type === 'system') this.#welcome(fieldsOf(frame.data));
    // A frame without a room is for everyone or for this user alone; an empty room counts as none.
    if (frame.room) return this.#memberships.get(frame.room)?.receive(frame);
    if (frame.type === 'chat' || frame.type === 'notification') this.#messages.emit(frame as Message);
  }

  #welcome({ user_id: user, connection_id: connection, max_message_bytes: most }: Fields): void {
    this.#userId = String(user);
    this.#mostBytes = numberOr(most, Infinity);
    // Who has no name has that of the connection.
    const isAnother = this.#formerUser !== undefined && this.#formerUser !== user && connection !== user;
    if (isAnother) for (const membership of this.#memberships.values()) membership.startAnew();
    this.#formerUser = undefined;
  }

  /** Whether it was handed to a socket; what is too long for the server is refused as if by the server, and later. */
  #send(text: string, ref: string): boolean {
    const most = this.#mostBytes;
    if (this.#line.state !== 'connected' || !isLonger(text, most)) return this.#line.send(text);
    const error = new CrosspodError(
      'too_large',
      `the server takes at most ${most} bytes with all that is around the data`,
    );
    queueMicrotask(() => this.#refused(ref, error));
    return false;
  }

  #refused(ref: string | undefined, error: CrosspodError): void {
    if (ref !== undefined) {
      if (this.#abandoned.delete(ref) || this.#pending.refused(ref, error)) return;
      for (const membership of this.#memberships.values()) if (membership.refused(ref, error)) return;
    }
    this.#report(error);
  }

  #report(error: CrosspodError): void {
    if (this.#errors.heard) this.#errors.emit(error);
    else this.#options.platform.warn('Crosspod refused something, and no onError listens:', error);
  }
}

/** The server takes what is empty for absent, and what names neither room nor user for everybody's. */
function requireName(name: string): string {
  if (typeof name === 'string' && name !== '') return name;
  throw new TypeError('a room or a user needs a name');
}

function closedError(closed?: Closed): CrosspodError {
  const why = closed === undefined ? '' : ` (${closed.code} ${closed.reason})`;
  return new CrosspodError('closed', `the connection is closed${why}`);
}
