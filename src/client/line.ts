import { reconnectAfter } from '../protocol/close-codes.ts';
import { backoffMs } from './backoff.ts';
import { Heartbeat } from './heartbeat.ts';
import type { Clock, Socket, SocketConstructor } from './platform.ts';
import { Renewal, type Token } from './renewal.ts';
import { fieldsOf, numberOr, parseFrame, SUBPROTOCOL, type Frame } from './wire.ts';

export type State = 'connecting' | 'connected' | 'reconnecting' | 'closed';

/** Where tokens come from; a bare string is a token of which nobody knows when it ends. */
export type TokenSource = () => string | Token | Promise<string | Token>;

/** Why the line is closed for good: the close code and the server's reason. */
export interface Closed {
  readonly code: number;
  readonly reason: string;
}

export interface LineOptions {
  readonly url: string;
  readonly getToken: TokenSource | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly WebSocket: SocketConstructor;
}

export interface LineHandlers {
  state(state: State, closed?: Closed): void;
  frame(frame: Frame): void;
}

/** From the call of `open` to the server's `connected`. */
const CONNECT_DEADLINE_MS = 10_000;
/** A connection that lasted so long was a good one: the next loss starts at the shortest backoff again. */
const STABLE_MS = 10_000;
const DEFAULT_HEARTBEAT_SECONDS = 25;

/** One line to the server that is kept up: sockets come and go under it as the close table says. */
export class Line {
  readonly #options: LineOptions;
  readonly #handlers: LineHandlers;
  readonly #heartbeat: Heartbeat;
  readonly #renewal: Renewal;
  #state: State = 'connecting';
  #socket: Socket | undefined;
  #timer: unknown;
  #attempt = 0;
  #connectedAt = 0;
  #hintMs: number | undefined;
  #token: Token | undefined;
  #tokenEnded = false;

  constructor(options: LineOptions, handlers: LineHandlers) {
    this.#options = options;
    this.#handlers = handlers;
    this.#heartbeat = new Heartbeat(
      options.clock,
      () => this.send({ type: 'ping' }),
      () => this.#lost(),
    );
    this.#renewal = new Renewal(options.clock, () => void this.#renew());
  }

  get state(): State {
    return this.#state;
  }

  /** Connects; the state tells how it goes. */
  open(): void {
    void this.#nextToken().then(
      (token) => this.#dial(token),
      () => this.#openLater(),
    );
  }

  /** Whether the frame was handed to a socket; never before `connected`. */
  send(frame: object): boolean {
    if (this.#state !== 'connected') return false;
    this.#socket?.send(JSON.stringify(frame));
    return true;
  }

  /** Ends the line for good. */
  close(): void {
    this.#drop(1000);
    this.#end({ code: 1000, reason: '' });
  }

  async #nextToken(): Promise<Token | undefined> {
    const token = await this.#options.getToken?.();
    return typeof token === 'string' ? { token } : token;
  }

  /** Brings a new token without a new socket. Where that fails, the server closes with 4401 when the old one ends. */
  async #renew(): Promise<void> {
    const socket = this.#socket;
    const next = await this.#nextToken().catch(() => undefined);
    if (next === undefined || next.token === this.#token?.token || this.#socket !== socket) return;
    if (!this.send({ type: 'auth', data: { token: next.token } })) return;
    this.#token = next;
    this.#renewal.plan(next.expiresAt);
  }

  #dial(token: Token | undefined): void {
    if (this.#state === 'closed') return;
    if (this.#tokenEnded && token?.token === this.#token?.token)
      return this.#end({ code: 4401, reason: 'no new token' });
    this.#token = token;
    this.#tokenEnded = false;
    const { url, WebSocket } = this.#options;
    // Not in the address: addresses end up in logs.
    const bearer = token === undefined ? [] : [`bearer.${token.token}`];
    const socket = new WebSocket(url, [SUBPROTOCOL, ...bearer]);
    this.#socket = socket;
    // A socket that was given up reports its close minutes later, when another has taken its place.
    const ifCurrent = (act: () => void): void => {
      if (this.#socket === socket) act();
    };
    socket.addEventListener('message', ({ data }) => ifCurrent(() => this.#receive(data)));
    socket.addEventListener('close', ({ code, reason }) => ifCurrent(() => this.#closed(code, reason)));
    // The close that follows says it all, but some implementations throw when nobody listens.
    socket.addEventListener('error', () => {});
    this.#heartbeat.start(CONNECT_DEADLINE_MS);
  }

  #receive(data: unknown): void {
    const frame = parseFrame(data);
    if (frame?.type === 'system') this.#system(frame);
    this.#heartbeat.heard();
    if (frame !== undefined) this.#handlers.frame(frame);
  }

  #system({ event, data }: Frame): void {
    const fields = fieldsOf(data);
    if (event === 'drain') this.#hintMs = numberOr(fields['reconnect_after_ms'], 0);
    if (event !== 'connected') return;
    this.#connectedAt = this.#options.clock.now();
    this.#heartbeat.start(numberOr(fields['heartbeat_seconds'], DEFAULT_HEARTBEAT_SECONDS) * 1_000);
    this.#renewal.plan(this.#token?.expiresAt);
    this.#become('connected');
  }

  #closed(code: number, reason: string): void {
    const next = reconnectAfter(code);
    if (next === 'never' || (next === 'new-token' && this.#options.getToken === undefined)) {
      this.#drop();
      return this.#end({ code, reason });
    }
    this.#tokenEnded = next === 'new-token';
    this.#lost();
  }

  #lost(): void {
    this.#drop();
    if (this.#state === 'connected') {
      if (this.#options.clock.now() - this.#connectedAt >= STABLE_MS) this.#attempt = 0;
      this.#become('reconnecting');
    }
    this.#openLater();
  }

  #openLater(): void {
    if (this.#state === 'closed') return;
    const delay = this.#hintMs ?? backoffMs(this.#attempt, this.#options.random);
    this.#hintMs = undefined;
    this.#attempt += 1;
    this.#timer = this.#options.clock.setTimeout(() => this.open(), delay);
  }

  #drop(code?: number): void {
    this.#heartbeat.stop();
    this.#renewal.stop();
    this.#options.clock.clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close(code);
  }

  #end(closed: Closed): void {
    if (this.#state !== 'closed') this.#become('closed', closed);
  }

  #become(state: State, closed?: Closed): void {
    this.#state = state;
    this.#handlers.state(state, closed);
  }
}
