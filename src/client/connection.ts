import { reconnectAfter } from '../protocol/close-codes.ts';
import { type CrosspodError, retryDelayMs } from './errors.ts';
import { askForRefusal } from './handshake-refusal.ts';
import { Heartbeat } from './heartbeat.ts';
import type { Hint, Platform, Socket } from './platform.ts';
import { ReconnectTimer } from './reconnect-timer.ts';
import { Renewal } from './renewal.ts';
import type { Off } from './signal.ts';
import { type Token, tokenOf, type TokenSource } from './token.ts';
import { errorOf, fieldsOf, numberOr, parseFrame, SUBPROTOCOL, type Frame } from './wire.ts';

/**
 * The state of a client: `connecting` until its first connection, then `connected`; `reconnecting` after a loss;
 * `closed` after `close`, or when the server wants the client to stay away.
 */
export type State = 'connecting' | 'connected' | 'reconnecting' | 'closed';

/** How a connection, or an attempt to connect, ended. */
export interface Closed {
  /** The close code; 1006 if there was none. If the server refused the handshake for good, its HTTP status. */
  readonly code: number;
  /** The server's sentence, or else the client's; empty if the reason is unknown. */
  readonly reason: string;
}

export interface ConnectionOptions {
  readonly url: string;
  readonly getToken: TokenSource | undefined;
  readonly platform: Platform;
}

export interface ConnectionHandlers {
  state(state: State, closed?: Closed): void;
  frame(frame: Frame): void;
}

/** The time from `open` to the server's `connected` frame. */
const CONNECT_DEADLINE_MS = 10_000;
/** After a connection that lasted this long, the backoff starts at its shortest again. */
const STABLE_MS = 10_000;
const DEFAULT_HEARTBEAT_SECONDS = 25;
/** The end of a connection without a close frame, or of a failed handshake (RFC 6455 section 7.1.5). */
const ABNORMAL = 1006;
const TOKEN_ENDED = 4401;
const KICKED = 4403;
/** After the source has returned the expired token this often, the client gives up. */
const MAX_STALE_TOKENS = 5;
/** Without a token source, the client dials again this often after a refusal: the session of the page may be renewed. */
const MAX_REDIALS = 5;
/** The `ref` of the frame that brings a new token; no other frame has it. */
const AUTH_REF = 'auth';

/** A connection that the client keeps up: it replaces a lost socket as the table of close codes says. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #platform: Platform;
  readonly #handlers: ConnectionHandlers;
  readonly #heartbeat: Heartbeat;
  readonly #renewal: Renewal;
  readonly #reconnect: ReconnectTimer;
  readonly #unwatch: Off;
  /** Aborted when the connection has ended for good. */
  readonly #life = new AbortController();
  #state: State = 'connecting';
  #socket: Socket | undefined;
  #welcomed = false;
  #connectedAt = 0;
  #token: Token | undefined;
  /** Why the server does not accept the token any more; undefined while it may. */
  #tokenEnded: string | undefined;
  #staleTokens = 0;
  /** Attempts in a row that the server refused although there is no token source. */
  #redials = 0;
  /** Sent on the open socket and not answered yet. */
  #nextToken: Token | undefined;

  constructor(options: ConnectionOptions, handlers: ConnectionHandlers) {
    this.#options = options;
    this.#platform = options.platform;
    this.#handlers = handlers;
    const { clock, random, watch } = this.#platform;
    this.#heartbeat = new Heartbeat(
      clock,
      () => this.send('{"type":"ping"}'),
      () => this.#lost({ code: ABNORMAL, reason: 'nothing arrived from the server in time' }),
    );
    this.#renewal = new Renewal(clock, () => void this.#renew());
    this.#reconnect = new ReconnectTimer(clock, random, () => this.open());
    this.#unwatch = watch((hint) => this.#take(hint));
  }

  get state(): State {
    return this.#state;
  }

  /** Makes an attempt to connect; `handlers.state` reports the outcome. */
  open(): void {
    void this.#askForToken().then(
      (token) => this.#dial(token),
      (error: unknown) => this.#failed({ code: ABNORMAL, reason: `no token: ${String(error)}` }),
    );
  }

  /** Returns whether the frame was handed to a socket, which never happens before `connected`. */
  send(text: string): boolean {
    if (this.#state !== 'connected') return false;
    this.#socket?.send(text);
    return true;
  }

  /** Ends the connection for good. */
  close(): void {
    this.#end({ code: 1000, reason: '' });
  }

  #askForToken(): Promise<Token | undefined> {
    return tokenOf(this.#options.getToken, this.#platform.clock, this.#life.signal);
  }

  /** Sends a new token on the open socket. If that fails, the server closes with 4401 when the old token expires. */
  async #renew(): Promise<void> {
    const socket = this.#socket;
    const next = await this.#askForToken().catch(() => undefined);
    if (this.#socket !== socket) return;
    if (next === undefined || next.token === this.#token?.token) {
      return this.#renewal.retry(this.#token?.expiresAt);
    }
    this.#nextToken = next;
    this.send(JSON.stringify({ type: 'auth', data: { token: next.token }, ref: AUTH_REF }));
  }

  /** The server has accepted the new token. */
  #renewed(): void {
    this.#token = this.#nextToken ?? this.#token;
    this.#renewal.plan(this.#token?.expiresAt);
  }

  #dial(token: Token | undefined): void {
    if (this.#state === 'closed') return;
    if (this.#tokenEnded !== undefined && token?.token === this.#token?.token) {
      return this.#tokenIsStale({ code: TOKEN_ENDED, reason: this.#tokenEnded });
    }
    this.#token = token;
    this.#tokenEnded = undefined;
    this.#staleTokens = 0;
    this.#welcomed = false;
    // The token is not put into the address, because addresses end up in logs.
    const bearer = token === undefined ? [] : [`bearer.${token.token}`];
    try {
      this.#use(new this.#platform.WebSocket(this.#options.url, [SUBPROTOCOL, ...bearer]));
    } catch (error) {
      // The page may not connect to this address at all, so a retry is useless. Only the error's name is reported:
      // its message may contain the address or the token.
      this.#end({ code: ABNORMAL, reason: `no WebSocket: ${(error as Error).name}` });
    }
  }

  /** The source returned the expired token again; the server would refuse it. */
  #tokenIsStale(how: Closed): void {
    this.#staleTokens += 1;
    if (this.#staleTokens >= MAX_STALE_TOKENS) this.#end(how);
    else this.#failed(how);
  }

  #use(socket: Socket): void {
    this.#socket = socket;
    // A socket that was given up may report its close minutes later, when another has replaced it.
    const ifCurrent = (act: () => void): void => {
      if (this.#socket === socket) act();
    };
    socket.addEventListener('message', ({ data }) => ifCurrent(() => this.#receive(data)));
    socket.addEventListener('close', ({ code, reason }) => ifCurrent(() => this.#closed(code, reason)));
    // A close event follows every error, but some implementations throw if nothing listens for errors.
    socket.addEventListener('error', () => {});
    this.#heartbeat.start(CONNECT_DEADLINE_MS);
  }

  #receive(data: unknown): void {
    const frame = parseFrame(data);
    const socket = this.#socket;
    if (frame?.ref === AUTH_REF) this.#authAnswered(frame);
    else if (frame !== undefined) this.#handlers.frame(frame);
    // The handler may have closed the connection.
    if (this.#socket !== socket) return;
    if (frame?.type === 'system') this.#system(frame);
    this.#heartbeat.received();
  }

  #authAnswered(frame: Frame): void {
    if (frame.type !== 'error') this.#renewed();
    else if (mayBeAcceptedLater(errorOf(frame))) this.#renewal.retry(this.#token?.expiresAt);
    else this.#handlers.frame(frame);
  }

  #system({ event, data }: Frame): void {
    const fields = fieldsOf(data);
    if (event === 'drain') this.#reconnect.drainedFor(numberOr(fields['reconnect_after_ms'], 0));
    if (event !== 'connected') return;
    this.#welcomed = true;
    this.#connectedAt = this.#platform.clock.now();
    const seconds = numberOr(fields['heartbeat_seconds'], DEFAULT_HEARTBEAT_SECONDS);
    this.#heartbeat.start(Math.max(1, seconds) * 1_000);
    this.#renewal.plan(this.#token?.expiresAt);
    this.#become('connected');
  }

  #closed(code: number, reason: string): void {
    if (this.#wasStable) this.#redials = 0;
    const next = reconnectAfter(code);
    if (next === 'never') return this.#end({ code, reason });
    if (next === 'new-token' && !this.#needsToken(reason, true)) return;
    if (code === ABNORMAL && !this.#welcomed) return void this.#handshakeFailed();
    this.#lost({ code, reason });
  }

  /** Asks the server why the handshake failed, which decides what to do next. */
  async #handshakeFailed(): Promise<void> {
    this.#drop();
    const { url } = this.#options;
    const refusal = await askForRefusal(url, this.#token?.token, this.#platform, this.#life.signal);
    if (this.#state === 'closed') return;
    const { status, code, error = '', retryAfterMs } = refusal ?? {};
    if (status === 400) return this.#end({ code: status, reason: error });
    if (status === 403 && code === 'blocked') return this.#end({ code: KICKED, reason: error });
    // A 401 with `Retry-After` means that the token is not valid yet: the same token will do then. A refused origin
    // has nothing to do with the token; the operator may allow the origin later.
    const wantsToken = (status === 401 && !retryAfterMs) || (status === 403 && code !== 'origin_not_allowed');
    if (wantsToken && !this.#needsToken(error, status === 401)) return;
    this.#failed({ code: ABNORMAL, reason: error }, retryAfterMs);
  }

  /**
   * The next attempt needs another token. Without a token source the same attempt is made again a few times, if it may
   * succeed (`mayPass`); then this ends the connection and returns false.
   */
  #needsToken(why: string, mayPass: boolean): boolean {
    if (this.#options.getToken !== undefined) {
      this.#tokenEnded = why;
      return true;
    }
    this.#redials += 1;
    if (mayPass && this.#redials <= MAX_REDIALS) return true;
    this.#end({ code: TOKEN_ENDED, reason: why });
    return false;
  }

  get #wasStable(): boolean {
    return this.#state === 'connected' && this.#platform.clock.now() - this.#connectedAt >= STABLE_MS;
  }

  #lost(how: Closed): void {
    this.#drop();
    if (this.#wasStable) this.#reconnect.resetBackoff();
    this.#failed(how);
  }

  #failed(how: Closed, retryAfterMs?: number): void {
    if (this.#state === 'closed') return;
    this.#become(this.#state === 'connected' ? 'reconnecting' : this.#state, how);
    this.#reconnectUnlessClosed(retryAfterMs);
  }

  /** The handler of a state change may have closed the connection. */
  #reconnectUnlessClosed(retryAfterMs: number | undefined): void {
    if (this.#state !== 'closed') this.#reconnect.plan(retryAfterMs);
  }

  #take(hint: Hint): void {
    if (this.#state === 'connected') this.#heartbeat.probe();
    else if (hint === 'better') this.#reconnect.hurry();
  }

  #drop(code?: number): void {
    this.#heartbeat.stop();
    this.#renewal.stop();
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close(code);
  }

  #end(closed: Closed): void {
    if (this.#state === 'closed') return;
    this.#drop(1000);
    this.#reconnect.stop();
    this.#unwatch();
    this.#life.abort();
    this.#become('closed', closed);
  }

  #become(state: State, closed?: Closed): void {
    this.#state = state;
    this.#handlers.state(state, closed);
  }
}

/** Whether the server may accept the token later: it is not valid yet, or the pod does not know its key yet. */
function mayBeAcceptedLater(error: CrosspodError): boolean {
  return (retryDelayMs(error) ?? error.retryAfterMs) !== undefined;
}
