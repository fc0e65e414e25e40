import { socketUrl } from './address.ts';
import { Calls } from './calls.ts';
import { type Closed, Connection, type ConnectionOptions, type State } from './connection.ts';
import { CrosspodError } from './errors.ts';
import { KnownRooms } from './known-rooms.ts';
import { Membership, type RoomLink } from './membership.ts';
import { type AnyEvents, type EventName, Messages, publishFields, type SendOptions } from './messages.ts';
import { Pending } from './pending.ts';
import { type Clock, type Platform, platformWith } from './platform.ts';
import { Room } from './room.ts';
import { type Off, Signal } from './signal.ts';
import type { TokenSource } from './token.ts';
import { errorOf, type Fields, fieldsOf, type Frame, isLonger, type Joined } from './wire.ts';
import { type Message, numberOr } from './wire.ts';

export type { Closed, State } from './connection.ts';
export type { Gap, JoinOptions } from './membership.ts';
export type { AnyEvents, SendOptions } from './messages.ts';
export type { Platform } from './platform.ts';
export type { Room } from './room.ts';
export type { Off } from './signal.ts';
export type { Token, TokenSource } from './token.ts';
export type { Joined, Member, Message, Status, UnrecoveredReason } from './wire.ts';
export { CrosspodError } from './errors.ts';

/** What the server did: it gave this client a room, or took it. */
export type RoomChange = 'given' | 'taken';

/** Options of `new Crosspod`. */
export interface CrosspodOptions {
  /**
   * The user id, for servers whose authentication is off. Without a user id or a token, a message that the client
   * sends again after a reconnect may arrive twice.
   */
  readonly userId?: string;
  /**
   * Returns a token. The client calls it before each connection, and 30 s before the token expires; the open connection
   * then goes on with the new token. If it rejects, the client calls it again later.
   */
  readonly getToken?: TokenSource;
  /** Replaces parts of the runtime: for runtimes without a WebSocket, and for tests. */
  readonly platform?: Partial<Platform>;
}

/**
 * A client of Crosspod. It connects at once, reconnects after a loss, resumes its rooms, and sends messages again that
 * were not acked. `Events` maps the names of events of direct and global messages to the type of their `data`.
 */
export class Crosspod<Events extends object = AnyEvents> {
  readonly #states = new Signal<[state: State, closed: Closed | undefined]>();
  readonly #errors = new Signal<[CrosspodError]>();
  readonly #messages = new Messages();
  readonly #roomChanges = new Signal<[Room, RoomChange]>();
  readonly #rooms = new KnownRooms();
  /** Rooms with listeners, which `room` must return again although `#rooms` holds them weakly. */
  readonly #roomsWithListeners = new Set<object | undefined>();
  /** By room; joined, or about to be. */
  readonly #memberships = new Map<string, Membership>();
  /** By room; to be joined when this closed client connects again. */
  readonly #waiting = new Map<string, Membership>();
  /** The `ref`s of joins whose answer nothing waits for any more. */
  readonly #abandoned = new Set<string>();
  readonly #options: ConnectionOptions;
  #connection: Connection;
  readonly #pending: Pending;
  readonly #calls: Calls;
  readonly #refPrefix: string;
  readonly #link: RoomLink;
  #refs = 0;
  #userId: string | undefined;
  /** The user before `connect`, until the new connection is up; undefined if there was none. */
  #formerUser: string | undefined;
  /** The longest frame the server accepts; a longer one would end the connection. Older servers do not say. */
  #maxBytes = Infinity;

  /**
   * `url` is the WebSocket address of the server, `wss://host/ws`; `http` and `https` work as well. Throws a TypeError
   * if it is not a URL, or if the runtime has no WebSocket.
   */
  constructor(url: string, options: CrosspodOptions = {}) {
    const platform = platformWith(options.platform ?? {});
    const { clock, random } = platform;
    // The server compares refs per user, not per connection: two clients of one user must not use the same ref.
    this.#refPrefix = `${random().toString(36).slice(2)}${random().toString(36).slice(2)}`;
    this.#options = { url: socketUrl(url, options.userId), getToken: options.getToken, platform };
    this.#connection = this.#newConnection();
    this.#link = this.#linkOf(clock);
    this.#pending = new Pending(clock, (text, ref) => this.#send(text, ref));
    this.#calls = new Calls((text, ref) => this.#send(text, ref));
    this.#connection.open();
  }

  /** The state of the connection. */
  get state(): State {
    return this.#connection.state;
  }

  /** This user's id, which others see as `from`; undefined until the first `connected`. */
  get userId(): string | undefined {
    return this.#userId;
  }

  /**
   * Calls the listener when the state changes, and after each failed attempt to connect. `closed` says how the
   * connection or the attempt ended. The state `closed` lasts until `connect` is called; after any other loss the
   * client reconnects by itself.
   */
  onState(listener: (state: State, closed: Closed | undefined) => void): Off {
    return this.#states.on(listener);
  }

  /**
   * Calls the listener with each error that no promise and no other listener gets. Without a listener the client prints
   * a warning.
   */
  onError(listener: (error: CrosspodError) => void): Off {
    return this.#errors.on(listener);
  }

  /** Calls the listener with each direct or global message of that event. */
  on<Name extends EventName<Events>>(event: Name, listener: (message: Message<Events[Name]>) => void): Off {
    return this.#messages.on(event, listener as (message: Message) => void);
  }

  /** Calls the listener with each direct or global message. */
  onMessage(listener: (message: Message<Events[EventName<Events>]>) => void): Off {
    return this.#messages.any.on(listener as (message: Message) => void);
  }

  /**
   * Calls the listener when the server made this client join a room (`given`), as applications and tokens can do, or
   * took a room from it (`taken`). The client resumes a room that it was given like its own. A listener that the
   * application adds to the room within this call misses no message.
   */
  onRoom(listener: (room: Room, change: RoomChange) => void): Off {
    return this.#roomChanges.on(listener);
  }

  /**
   * Returns the room of that name, the same object every time. Nothing is sent until the application adds a listener,
   * joins or sends. Throws a TypeError if the name is empty, because the server would take a message to it for a global
   * one.
   */
  room<RoomEvents extends object = AnyEvents>(name: string): Room<RoomEvents> {
    const known = this.#rooms.find(requireName(name));
    if (known !== undefined) return known as Room<RoomEvents>;
    const membership =
      this.#memberships.get(name) ?? this.#waiting.get(name) ?? new Membership(name, this.#link);
    const room: Room<RoomEvents> = new Room(membership, {
      publish: (data, options) => this.#publish({ room: name }, data, options),
      listenerAdded: () => void this.#roomsWithListeners.add(room),
    });
    this.#rooms.add(name, room);
    return room;
  }

  /**
   * Publishes a direct message to all connections of a user, or to one connection (`conn:<id>`). Resolves and rejects
   * as `room.send` does; rejects with a TypeError if `user` is empty.
   */
  async sendTo<Name extends EventName<Events> = 'chat' & EventName<Events>>(
    user: string,
    data: Events[Name],
    options: SendOptions<Name> = {},
  ): Promise<string> {
    return this.#publish({ to: requireName(user) }, data, options);
  }

  /** Publishes a global message, to every connection of every user. Resolves and rejects as `room.send` does. */
  broadcast<Name extends EventName<Events> = 'chat' & EventName<Events>>(
    data: Events[Name],
    options: SendOptions<Name> = {},
  ): Promise<string> {
    return this.#publish({}, data, options);
  }

  /**
   * Asks the application behind the server, and resolves with its answer. Rejects with a CrosspodError: with the
   * application's own code, `unknown_method`, `unknown_type` if the server answers no calls, or `outcome_unknown` if the
   * connection was lost before the answer came; a call that was sent is never sent again.
   */
  call(method: string, data?: unknown): Promise<unknown> {
    if (this.#connection.state === 'closed') return Promise.reject(closedError());
    return this.#calls.add(this.#nextRef(), method, data);
  }

  /**
   * Closes the connection, until `connect` is called. Each promise that waits for an answer rejects with the code
   * `closed`.
   */
  close(): void {
    this.#connection.close();
  }

  /**
   * Connects again if the client is `closed`, for example after a new login; otherwise it does nothing. The client
   * joins again each room that it was in, and each that has got a listener since. The same user resumes after the last
   * message received; another user joins as if for the first time.
   */
  connect(): void {
    if (this.#connection.state !== 'closed') return;
    this.#formerUser = this.#userId;
    this.#connection = this.#newConnection();
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const membership of waiting) membership.reopen();
    this.#connection.open();
    this.#states.emit(this.#connection.state, undefined);
  }

  #newConnection(): Connection {
    return new Connection(this.#options, {
      state: (state, closed) => this.#stateChanged(state, closed),
      frame: (frame) => this.#receive(frame),
    });
  }

  #linkOf(clock: Clock): RoomLink {
    return {
      clock,
      isClosed: () => this.#connection.state === 'closed',
      userId: () => this.#userId,
      nextRef: () => this.#nextRef(),
      write: (text, ref) => this.#send(text, ref),
      report: (error) => this.#report(error),
      taken: ({ room }) => this.#roomChanged(room, 'taken'),
      begun: (membership) => void this.#memberships.set(membership.room, membership),
      waitsForConnect: (membership) => void this.#waiting.set(membership.room, membership),
      ended: ({ room, hasListeners }, joinRef) => {
        this.#memberships.delete(room);
        this.#waiting.delete(room);
        if (!hasListeners) this.#roomsWithListeners.delete(this.#rooms.find(room));
        if (joinRef !== undefined) this.#abandoned.add(joinRef);
      },
    };
  }

  #nextRef(): string {
    this.#refs += 1;
    return `${this.#refPrefix}-${this.#refs}`;
  }

  #publish(destination: object, data: unknown, options: SendOptions): Promise<string> {
    if (this.#connection.state === 'closed') return Promise.reject(closedError());
    return this.#pending.add(this.#nextRef(), { ...publishFields(data, options), ...destination });
  }

  #stateChanged(state: State, closed: Closed | undefined): void {
    if (state === 'closed') {
      const error = closedError(closed);
      for (const membership of this.#memberships.values()) membership.close(error);
      this.#pending.close(error);
      this.#calls.close(error);
    } else if (state !== 'connected') this.#calls.lost();
    if (state === 'connected') {
      for (const membership of this.#memberships.values()) membership.enter();
      this.#pending.resume();
      this.#calls.resume();
    }
    this.#abandoned.clear();
    // Last, so that what a listener sends goes out after the messages that have waited.
    this.#states.emit(state, closed);
  }

  #receive(frame: Frame): void {
    if (frame.type === 'ack') return this.#pending.acked(frame.ref ?? '', frame.id ?? '');
    if (frame.type === 'result') return this.#calls.answered(frame.ref ?? '', frame.data);
    if (frame.type === 'error') return this.#rejected(frame.ref, errorOf(frame));
    if (frame.event === 'connected' && frame.type === 'system') this.#welcome(fieldsOf(frame.data));
    // A frame without a room, or with an empty one, is a direct or global message.
    if (frame.room) return this.#receiveIn(frame.room, frame);
    if (frame.type === 'chat' || frame.type === 'notification') this.#messages.emit(frame as Message);
  }

  #receiveIn(room: string, frame: Frame): void {
    const membership = this.#memberships.get(room);
    if (membership !== undefined) return membership.receive(frame);
    // Without a ref it answers no join of this client.
    if (frame.event !== 'joined' || frame.type !== 'system' || frame.ref !== undefined) return;
    this.room(room).given(frame.data as Joined, () => this.#roomChanged(room, 'given'));
  }

  /** Returns whether a listener was told. */
  #roomChanged(name: string, change: RoomChange): boolean {
    const { hasListeners } = this.#roomChanges;
    if (hasListeners) this.#roomChanges.emit(this.room(name), change);
    return hasListeners;
  }

  #welcome({ user_id: user, connection_id: connection, max_message_bytes: max }: Fields): void {
    this.#userId = String(user);
    this.#maxBytes = numberOr(max, Infinity);
    // A client without a user id has the id of its connection, which changes with each connection.
    const isAnother = this.#formerUser !== undefined && this.#formerUser !== user && connection !== user;
    if (isAnother) for (const membership of this.#memberships.values()) membership.reset();
    this.#formerUser = undefined;
  }

  /**
   * Returns whether the frame was handed to a socket. A frame that is too long for the server is rejected in a
   * microtask, as if by the server.
   */
  #send(text: string, ref: string): boolean {
    const max = this.#maxBytes;
    if (this.#connection.state !== 'connected' || !isLonger(text, max)) return this.#connection.send(text);
    const error = new CrosspodError(
      'too_large',
      `the message, with its envelope, is longer than the ${max} bytes that the server accepts`,
    );
    queueMicrotask(() => this.#rejected(ref, error));
    return false;
  }

  #rejected(ref: string | undefined, error: CrosspodError): void {
    if (ref !== undefined) {
      if (this.#abandoned.delete(ref) || this.#pending.rejected(ref, error)) return;
      if (this.#calls.rejected(ref, error)) return;
      for (const membership of this.#memberships.values()) if (membership.rejected(ref, error)) return;
    }
    this.#report(error);
  }

  #report(error: CrosspodError): void {
    if (this.#errors.hasListeners) this.#errors.emit(error);
    else this.#options.platform.warn('An error of Crosspod reached no onError listener:', error);
  }
}

/** The server ignores an empty name, so a message to it would go to every user. */
function requireName(name: string): string {
  if (typeof name === 'string' && name !== '') return name;
  throw new TypeError('The name of a room or a user must not be empty.');
}

function closedError(closed?: Closed): CrosspodError {
  const why = closed === undefined ? '' : ` (${closed.code} ${closed.reason})`;
  return new CrosspodError('closed', `the connection is closed${why}`);
}
