import { Emitter, type Off } from './emitter.ts';
import { CrosspodError } from './errors.ts';
import { Line, type Closed, type State, type TokenSource } from './line.ts';
import { Pending } from './pending.ts';
import { platformClock, platformSocket, type Clock, type SocketConstructor } from './platform.ts';
import { Room } from './room.ts';
import { errorOf, fieldsOf, type Frame, type Message } from './wire.ts';

export type { Closed, State, TokenSource } from './line.ts';
export type { Joined, Member, Message } from './wire.ts';
export type { Room } from './room.ts';
export { CrosspodError } from './errors.ts';

export interface CrosspodOptions {
  /** Who connects, while the server's authentication is off. Without it a `send` is not safe against doubles. */
  readonly userId?: string;
  /**
   * Asked for a token before every connection; if it rejects, the client tries again later. Whoever also says when
   * the token ends is asked again half a minute before, and the connection goes on with the new one.
   */
  readonly getToken?: TokenSource;
  /** For tests: timers and the time. */
  readonly clock?: Clock;
  /** For tests: numbers in [0, 1). */
  readonly random?: () => number;
  /** For platforms without a global WebSocket. */
  readonly WebSocket?: SocketConstructor;
}

export interface ClientEvents {
  /** `closed` comes with the code and reason, and is final; every other loss ends in `connected` again. */
  state: [state: State, closed: Closed | undefined];
  /** A direct or a global message. */
  message: [message: Message];
  /** The server refused something that nobody waits for, such as a `setPresence`. */
  error: [error: CrosspodError];
}

/**
 * A connection to Crosspod that reconnects, resumes its rooms where they were and sends again what was not acked.
 * It connects at once. `url` is where the server listens for WebSockets, `ws(s)://host/ws` (http and https are
 * understood as well); throws a TypeError if it is no URL.
 */
export class Crosspod {
  readonly #events = new Emitter<ClientEvents>();
  readonly #rooms = new Map<string, Room>();
  readonly #clock: Clock;
  readonly #line: Line;
  readonly #pending: Pending;
  readonly #refPrefix: string;
  #refs = 0;
  #userId: string | undefined;

  constructor(url: string, options: CrosspodOptions = {}) {
    const { clock = platformClock, random = Math.random, WebSocket = platformSocket() } = options;
    this.#clock = clock;
    // Refs are compared per user, not per connection: two clients of one user must not use the same.
    this.#refPrefix = `${random().toString(36).slice(2)}${random().toString(36).slice(2)}`;
    this.#line = new Line(
      { url: socketUrl(url, options.userId), getToken: options.getToken, clock, random, WebSocket },
      {
        state: (state, closed) => this.#stateChanged(state, closed),
        frame: (frame) => this.#receive(frame),
      },
    );
    this.#pending = new Pending(clock, (frame) => this.#line.send(frame));
    this.#line.open();
  }

  get state(): State {
    return this.#line.state;
  }

  /** How the server names this user in `from`; known once connected. */
  get userId(): string | undefined {
    return this.#userId;
  }

  on<Name extends keyof ClientEvents>(name: Name, listener: (...args: ClientEvents[Name]) => void): Off {
    return this.#events.on(name, listener);
  }

  /** The room of this name, the same object every time; nothing is sent until its `join` or `send`. */
  room(name: string): Room {
    const known = this.#rooms.get(name);
    if (known !== undefined) return known;
    const room = new Room(name, {
      clock: this.#clock,
      isClosed: () => this.#line.state === 'closed',
      nextRef: () => this.#nextRef(),
      write: (frame) => this.#line.send(frame),
      publish: (frame) => this.#publish(frame),
    });
    this.#rooms.set(name, room);
    return room;
  }

  /** Publishes to every connection of a user (or to one: `conn:<id>`); resolves and rejects as `room.send`. */
  sendTo(user: string, data: unknown): Promise<string> {
    return this.#publish({ type: 'chat', to: user, data });
  }

  /** Ends the connection for good; what still waits for an answer rejects with `closed`. */
  close(): void {
    this.#line.close();
  }

  #nextRef(): string {
    this.#refs += 1;
    return `${this.#refPrefix}-${this.#refs}`;
  }

  #publish(frame: object): Promise<string> {
    if (this.#line.state === 'closed') return Promise.reject(closedError());
    return this.#pending.add(this.#nextRef(), frame);
  }

  #stateChanged(state: State, closed: Closed | undefined): void {
    if (state === 'closed') {
      const error = closedError(closed);
      for (const room of this.#rooms.values()) room.close(error);
      this.#pending.close(error);
    }
    this.#events.emit('state', state, closed);
    if (state !== 'connected') return;
    for (const room of this.#rooms.values()) room.enter();
    this.#pending.resume();
  }

  #receive(frame: Frame): void {
    if (frame.type === 'ack') return this.#pending.acked(frame.ref ?? '', frame.id ?? '');
    if (frame.type === 'error') return this.#refused(frame);
    if (frame.event === 'connected' && frame.type === 'system') {
      this.#userId = String(fieldsOf(frame.data)['user_id']);
    }
    // A frame without a room is for everyone or for this user alone; an empty room counts as none.
    if (frame.room) return this.#rooms.get(frame.room)?.receive(frame);
    if (frame.type === 'chat' || frame.type === 'notification')
      this.#events.emit('message', frame as Message);
  }

  #refused(frame: Frame): void {
    const error = errorOf(frame);
    if (frame.ref !== undefined && this.#pending.refused(frame.ref, error)) return;
    for (const room of this.#rooms.values()) if (room.refused(frame)) return;
    this.#events.emit('error', error);
  }
}

function socketUrl(url: string, userId: string | undefined): string {
  const full = new URL(url);
  full.protocol = full.protocol.replace('http', 'ws');
  if (userId !== undefined) full.searchParams.set('user_id', userId);
  return full.href;
}

function closedError(closed?: Closed): CrosspodError {
  const why = closed === undefined ? '' : ` (${closed.code} ${closed.reason})`;
  return new CrosspodError('closed', `the connection is closed${why}`);
}
