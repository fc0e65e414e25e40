import { reconnectAfter } from '../protocol/close-codes.ts';
import { backoffMs } from './backoff.ts';
import { type CrosspodError, retryDelayMs } from './errors.ts';
import { Heartbeat } from './heartbeat.ts';
import { type Hint, LONGEST_TIMER_MS, type Platform, type Socket } from './platform.ts';
import { askWhy } from './handshake-refusal.ts';
import { Renewal } from './renewal.ts';
import type { Off } from './signal.ts';
import { type Token, tokenOf, type TokenSource } from './token.ts';
import { errorOf, fieldsOf, numberOr, parseFrame, SUBPROTOCOL, type Frame } from './wire.ts';

export type State = 'connecting' | 'connected' | 'reconnecting' | 'closed';

/** How a connection ended, or an attempt at one. */
export interface Closed {
  /** The close code, 1006 where there was none; of a handshake that was refused for good the HTTP status. */
  readonly code: number;
  /** In the server's words, or else in the client's; empty when nobody knows. */
  readonly reason: string;
}

export interface LineOptions {
  readonly url: string;
  readonly getToken: TokenSource | undefined;
  readonly platform: Platform;
}

export interface LineHandlers {
  state(state: State, closed?: Closed): void;
  frame(frame: Frame): void;
}

/** A wait for the next attempt. */
interface Wait {
  readonly timer: unknown;
  readonly until: number;
  /** The server asked for so much of it. */
  readonly atLeastUntil: number;
}

/** From the call of `open` to the server's `connected`. */
const CONNECT_DEADLINE_MS = 10_000;
/** A connection that lasted so long was a good one: the next loss starts at the shortest backoff again. */
const STABLE_MS = 10_000;
const DEFAULT_HEARTBEAT_SECONDS = 25;
/** The end of a connection without a close frame, or of a handshake that failed (RFC 6455 section 7.1.5). */
const ABNORMAL = 1006;
const TOKEN_ENDED = 4401;
/** How often the source may give the token that has ended before nobody expects another. */
const MOST_STALE = 5;
/** Of the frame that brings a new token; no other frame has it. */
const AUTH_REF = 'auth';

/** One line to the server that is kept up: sockets come and go under it as the close table says. */
export class Line {
  readonly #options: LineOptions;
  readonly #platform: Platform;
  readonly #handlers: LineHandlers;
  readonly #heartbeat: Heartbeat;
  readonly #renewal: Renewal;
  readonly #unwatch: Off;
  /** Aborted when the line has ended. */
  readonly #life = new AbortController();
  #state: State = 'connecting';
  #socket: Socket | undefined;
  #welcomed = false;
  #attempt = 0;
  #connectedAt = 0;
  #wait: Wait | undefined;
  /** What a drain said about when to come back. */
  #drainMs: number | undefined;
  #token: Token | undefined;
  /** Why the token is of no use any more: only another one leads to a connection. */
  #tokenEnded: string | undefined;
  #stale = 0;
  /** It was sent on the open connection and is not answered yet. */
  #nextTokenSent: Token | undefined;

  constructor(options: LineOptions, handlers: LineHandlers) {
    this.#options = options;
    this.#platform = options.platform;
    this.#handlers = handlers;
    const { clock, watch } = this.#platform;
    this.#heartbeat = new Heartbeat(
      clock,
      () => this.send('{"type":"ping"}'),
      () => this.#lost({ code: ABNORMAL, reason: 'nothing was heard' }),
    );
    this.#renewal = new Renewal(clock, () => void this.#renew());
    this.#unwatch = watch((hint) => this.#take(hint));
  }

  get state(): State {
    return this.#state;
  }

  /** Connects; the state tells how it goes. */
  open(): void {
    void this.#nextToken().then(
      (token) => this.#dial(token),
      (error: unknown) => this.#failed({ code: ABNORMAL, reason: `no token: ${String(error)}` }),
    );
  }

  /** Whether the frame was handed to a socket; never before `connected`. */
  send(text: string): boolean {
    if (this.#state !== 'connected') return false;
    this.#socket?.send(text);
    return true;
  }

  /** Ends the line for good. */
  close(): void {
    this.#end({ code: 1000, reason: '' });
  }

  #nextToken(): Promise<Token | undefined> {
    return tokenOf(this.#options.getToken, this.#platform.clock, this.#life.signal);
  }

  /** Brings a new token without a new socket. Where that fails, the server closes with 4401 when the old one ends. */
  async #renew(): Promise<void> {
    const socket = this.#socket;
    const next = await this.#nextToken().catch(() => undefined);
    if (this.#socket !== socket) return;
    if (next === undefined || next.token === this.#token?.token) {
      return this.#renewal.again(this.#token?.expiresAt);
    }
    this.#nextTokenSent = next;
    this.send(JSON.stringify({ type: 'auth', data: { token: next.token }, ref: AUTH_REF }));
  }

  /** Only when the server has taken it is it the token of this connection. */
  #renewed(): void {
    this.#token = this.#nextTokenSent ?? this.#token;
    this.#renewal.plan(this.#token?.expiresAt);
  }

  #dial(token: Token | undefined): void {
    if (this.#state === 'closed') return;
    if (this.#tokenEnded !== undefined && token?.token === this.#token?.token) {
      return this.#heldBack({ code: TOKEN_ENDED, reason: this.#tokenEnded });
    }
    this.#token = token;
    this.#tokenEnded = undefined;
    this.#stale = 0;
    this.#welcomed = false;
    // Not in the address: addresses end up in logs.
    const bearer = token === undefined ? [] : [`bearer.${token.token}`];
    try {
      this.#use(new this.#platform.WebSocket(this.#options.url, [SUBPROTOCOL, ...bearer]));
    } catch (error) {
      // Not a matter of the network: a page that may not connect there. Its words may hold the address or the token.
      this.#end({ code: ABNORMAL, reason: `no WebSocket: ${(error as Error).name}` });
    }
  }

  /** The source has no other token yet; without one there is no use in connecting. */
  #heldBack(how: Closed): void {
    this.#stale += 1;
    if (this.#stale >= MOST_STALE) this.#end(how);
    else this.#failed(how);
  }

  #use(socket: Socket): void {
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
    const socket = this.#socket;
    if (frame?.ref === AUTH_REF) this.#authAnswered(frame);
    else if (frame !== undefined) this.#handlers.frame(frame);
    // Whoever was told may have closed it.
    if (this.#socket !== socket) return;
    if (frame?.type === 'system') this.#system(frame);
    this.#heartbeat.heard();
  }

  #authAnswered(frame: Frame): void {
    if (frame.type !== 'error') this.#renewed();
    else if (mayBeTakenLater(errorOf(frame))) this.#renewal.again(this.#token?.expiresAt);
    else this.#handlers.frame(frame);
  }

  #system({ event, data }: Frame): void {
    const fields = fieldsOf(data);
    if (event === 'drain') this.#drainMs = numberOr(fields['reconnect_after_ms'], 0);
    if (event !== 'connected') return;
    this.#welcomed = true;
    this.#connectedAt = this.#platform.clock.now();
    const seconds = numberOr(fields['heartbeat_seconds'], DEFAULT_HEARTBEAT_SECONDS);
    this.#heartbeat.start(Math.max(1, seconds) * 1_000);
    this.#renewal.plan(this.#token?.expiresAt);
    this.#become('connected');
  }

  #closed(code: number, reason: string): void {
    const next = reconnectAfter(code);
    if (next === 'never') return this.#end({ code, reason });
    if (next === 'new-token' && !this.#needsToken(reason)) return;
    if (code === ABNORMAL && !this.#welcomed) return void this.#refused();
    this.#lost({ code, reason });
  }

  /** The handshake failed: what comes next depends on why. */
  async #refused(): Promise<void> {
    this.#drop();
    const refusal = await askWhy(this.#options.url, this.#token?.token, this.#platform, this.#life.signal);
    if (this.#state === 'closed') return;
    const { status, code, error = '', retryAfterMs } = refusal ?? {};
    if (status === 400) return this.#end({ code: status, reason: error });
    // With a wait the same token will do then: it is not valid yet. Which origins may connect is the server's setting,
    // and a wrong one is mended there.
    const wantsToken = (status === 401 && !retryAfterMs) || (status === 403 && code !== 'origin_not_allowed');
    if (wantsToken && !this.#needsToken(error)) return;
    this.#failed({ code: ABNORMAL, reason: error }, retryAfterMs);
  }

  /** Only another token leads to a connection now; false if there is no source of them, and the line has ended. */
  #needsToken(why: string): boolean {
    this.#tokenEnded = why;
    if (this.#options.getToken === undefined) this.#end({ code: TOKEN_ENDED, reason: why });
    return this.#options.getToken !== undefined;
  }

  #lost(how: Closed): void {
    this.#drop();
    const { clock } = this.#platform;
    if (this.#state === 'connected' && clock.now() - this.#connectedAt >= STABLE_MS) this.#attempt = 0;
    this.#failed(how);
  }

  #failed(how: Closed, retryAfterMs?: number): void {
    if (this.#state === 'closed') return;
    this.#become(this.#state === 'connected' ? 'reconnecting' : this.#state, how);
    this.#openLater(retryAfterMs);
  }

  /** What a drain asks for is exact already; what a `Retry-After` asks for is the same for everybody. */
  #openLater(retryAfterMs = 0): void {
    if (this.#state === 'closed') return;
    const jitter = this.#drainMs === undefined ? backoffMs(this.#attempt, this.#platform.random) : 0;
    const atLeast = this.#drainMs ?? retryAfterMs;
    this.#drainMs = undefined;
    this.#attempt += 1;
    this.#openIn(atLeast + jitter, this.#platform.clock.now() + atLeast);
  }

  #openIn(ms: number, atLeastUntil: number): void {
    const { clock } = this.#platform;
    clock.clearTimeout(this.#wait?.timer);
    const timer = clock.setTimeout(
      () => {
        this.#wait = undefined;
        this.open();
      },
      Math.min(ms, LONGEST_TIMER_MS),
    );
    this.#wait = { timer, until: clock.now() + ms, atLeastUntil };
  }

  #take(hint: Hint): void {
    if (this.#state === 'connected') this.#heartbeat.prove();
    else if (hint === 'better' && this.#wait !== undefined) this.#hurry(this.#wait);
  }

  /** The next attempt need not wait for a backoff that grew in worse times; what the server asked for still holds. */
  #hurry({ until, atLeastUntil }: Wait): void {
    const { clock, random } = this.#platform;
    this.#attempt = 0;
    const ms = Math.max(atLeastUntil - clock.now(), backoffMs(0, random));
    if (clock.now() + ms < until) this.#openIn(ms, atLeastUntil);
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
    this.#platform.clock.clearTimeout(this.#wait?.timer);
    this.#wait = undefined;
    this.#unwatch();
    this.#life.abort();
    this.#become('closed', closed);
  }

  #become(state: State, closed?: Closed): void {
    this.#state = state;
    this.#handlers.state(state, closed);
  }
}

/** Whether the server may take a new token yet: one that is not valid yet, or whose key it does not know yet. */
function mayBeTakenLater(error: CrosspodError): boolean {
  return (retryDelayMs(error) ?? error.retryAfterMs) !== undefined;
}
