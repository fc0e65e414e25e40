import http, { type CookieJar } from 'k6/http';
import { clearTimeout, setTimeout, type TimeoutID } from 'k6/timers';
import { type MessageEvent, WebSocket } from 'k6/websockets';
import type { Frame } from './frame.ts';
import { askWhy, type Refusal } from './refusal.ts';
import type { Settings } from './settings.ts';
import { tokenFor } from './token.ts';

/** After these the server does not want the client back. 4401 is one: a new token would be like the old one. */
const FINAL_CLOSES: ReadonlySet<number> = new Set([1000, 1002, 1003, 1007, 1008, 1009, 4401, 4403]);
const FINAL_STATUSES: ReadonlySet<number> = new Set([400, 401, 403, 404]);
/** What is to be sent again, later. */
const PASSING: ReadonlySet<string> = new Set(['rate_limited', 'unavailable', 'internal']);

/** k6 has it, its types do not. */
declare const console: { warn(text: string): void };

const BACKOFF_MS = { base: 1_000, cap: 30_000 };
const AGAIN_MS = 1_000;

/** What a client tells; none of it is needed. */
export interface Watcher {
  /** A chat or notification, never one that came before. */
  onMessage?(frame: Frame): void;
  /** A presence frame, or a `members` event. */
  onPresence?(frame: Frame): void;
  /** Also when it is back in the room. */
  onJoined?(frame: Frame): void;
  onAck?(ref: string, id: string | undefined): void;
  onError?(frame: Frame): void;
  /** Messages of this room are gone. */
  onUnrecovered?(frame: Frame): void;
  /** A connection that was open is not any more. */
  onLost?(code: number | undefined): void;
  onRefused?(refusal: Refusal): void;
  /** It will not come back. */
  onGivenUp?(): void;
}

export interface ClientOptions {
  readonly settings: Settings;
  readonly user: string;
  /** Whose cookies it has. */
  readonly jar: CookieJar;
  readonly watcher: Watcher;
}

interface Pending {
  readonly room: string;
  readonly text: string;
}

// The types of k6 say less of its events than they have.
type TextEvent = MessageEvent & { readonly data: string };
type CloseEvent = MessageEvent & { readonly code?: number };

/**
 * One connection that speaks the message dialect and comes back as docs/protocol.md asks: when a drain says, after
 * `Retry-After`, else with backoff; with `last_id`, and what was not confirmed is sent again under its `ref`.
 *
 * It does not look for lines that are dead without a word: k6 cannot abandon a socket, and waits, also beyond
 * `maxDuration`, until the line ends.
 */
export class Client {
  readonly #options: ClientOptions;
  /** By room, after which message it goes on; undefined until it has joined for the first time. */
  readonly #positions = new Map<string, string | undefined>();
  readonly #joined = new Set<string>();
  /** In the order in which they were published. */
  readonly #pending = new Map<string, Pending>();
  /** Ids of messages that were shown before they had their position. */
  readonly #provisional = new Set<string>();
  readonly #timers = new Set<TimeoutID>();
  #socket: WebSocket | undefined;
  #isOpen = false;
  #isClosed = false;
  #attempt = 0;
  #drainMs: number | undefined;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** How many messages wait to be confirmed. */
  get unacked(): number {
    return this.#pending.size;
  }

  get position(): ReadonlyMap<string, string | undefined> {
    return this.#positions;
  }

  /** The room is joined now or when there is a connection, and after every reconnect. */
  join(room: string, lastId?: string): void {
    if (!this.#positions.has(room)) this.#positions.set(room, lastId);
    if (this.#isOpen) this.#sendJoin(room);
  }

  open(): void {
    const { settings, user, jar } = this.#options;
    this.#drainMs = undefined;
    const params = { jar, headers: this.#headers(), tags: { name: 'websocket' } };
    const socket = new WebSocket(
      `${settings.baseUrl.replace(/^http/, 'ws')}${this.#path(user)}`,
      null,
      params,
    );
    this.#socket = socket;
    socket.addEventListener('open', () => {
      // To close a socket that is still connecting would block k6 for ever if it cannot connect.
      if (this.#isClosed) socket.close(1000);
      this.#isOpen = true;
    });
    socket.addEventListener('message', (event) => {
      if (!this.#isClosed) this.#read(JSON.parse((event as TextEvent).data) as Frame);
    });
    // An error needs nobody: a close follows it.
    socket.addEventListener('close', (event) => this.#ended((event as CloseEvent).code));
  }

  /** Publishes with a ref, now or when the room is joined. The ref. */
  publish(room: string, data: unknown, ref = newRef()): string {
    const text = JSON.stringify({ type: 'chat', room, data, ref });
    this.#pending.set(ref, { room, text });
    if (this.#joined.has(room)) this.#send(text);
    return ref;
  }

  /** Sends any frame; false where there is no connection. */
  send(frame: object): boolean {
    return this.#send(JSON.stringify(frame));
  }

  /** Closes the socket and clears every timer: then nothing of it holds up the end of an iteration. */
  close(): void {
    this.#isClosed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    if (this.#isOpen) this.#socket?.close(1000);
  }

  #headers(): Record<string, string> {
    const token = tokenFor(this.#options.user, this.#options.settings);
    return token === undefined ? {} : { Authorization: `Bearer ${token}` };
  }

  #path(user: string): string {
    return `${this.#options.settings.wsPath}?dialect=message&user_id=${encodeURIComponent(user)}`;
  }

  #send(text: string): boolean {
    if (!this.#isOpen) return false;
    this.#socket?.send(text);
    return true;
  }

  #sendJoin(room: string): void {
    const lastId = this.#positions.get(room);
    const where = lastId === undefined ? {} : { last_id: lastId };
    this.send({ type: 'join', room, ref: `join-${room}`.slice(0, 64), ...where });
  }

  #after(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, ms);
    this.#timers.add(timer);
  }

  #read(frame: Frame): void {
    const { watcher } = this.#options;
    switch (frame.type) {
      case 'chat':
      case 'notification':
        return this.#readMessage(frame);
      case 'presence':
        return watcher.onPresence?.(frame);
      case 'ack':
        return this.#readAck(frame);
      case 'error':
        return this.#readError(frame);
      case 'system':
        return this.#readSystem(frame);
      default:
    }
  }

  #readSystem(frame: Frame): void {
    const { watcher } = this.#options;
    switch (frame.event) {
      case 'connected':
        for (const room of this.#positions.keys()) this.#sendJoin(room);
        return;
      case 'joined':
        return this.#readJoined(frame);
      case 'recovered':
        if (frame.data?.recovered === false) watcher.onUnrecovered?.(frame);
        return;
      case 'members':
        return watcher.onPresence?.(frame);
      case 'drain':
        this.#drainMs = frame.data?.reconnect_after_ms;
        return;
      default:
    }
  }

  #readJoined(frame: Frame): void {
    const { room = '', data } = frame;
    this.#attempt = 0;
    this.#joined.add(room);
    const before = this.#positions.get(room);
    if (before === undefined) this.#positions.set(room, data?.position);
    // What is unavailable now is told by a `recovered` event later.
    if (data?.recovered === false && data.reason !== 'unavailable')
      this.#options.watcher.onUnrecovered?.(frame);
    this.#options.watcher.onJoined?.(frame);
    for (const pending of this.#pending.values()) if (pending.room === room) this.#send(pending.text);
  }

  #readMessage(frame: Frame): void {
    const { id, room } = frame;
    if (frame.provisional === true && id !== undefined) {
      if (this.#provisional.has(id)) return;
      this.#provisional.add(id);
    } else if (room !== undefined && id !== undefined && frame.ephemeral !== true) {
      this.#positions.set(room, id);
      if (frame.provisional_id !== undefined && this.#provisional.delete(frame.provisional_id)) return;
    }
    this.#options.watcher.onMessage?.(frame);
  }

  #readAck({ ref, id }: Frame): void {
    if (ref !== undefined && this.#pending.delete(ref)) this.#options.watcher.onAck?.(ref, id);
  }

  #readError(frame: Frame): void {
    const { ref = '', room, data } = frame;
    this.#options.watcher.onError?.(frame);
    const isPassing = PASSING.has(data?.code ?? '');
    const pending = this.#pending.get(ref);
    const again = (): void => {
      if (pending !== undefined && this.#pending.has(ref)) this.#send(pending.text);
      else if (room !== undefined && !this.#joined.has(room)) this.#sendJoin(room);
    };
    if (isPassing) this.#after(data?.retry_after_ms ?? AGAIN_MS, again);
    else this.#pending.delete(ref);
  }

  #ended(code: number | undefined): void {
    const { watcher } = this.#options;
    const wasOpen = this.#isOpen;
    this.#isOpen = false;
    this.#joined.clear();
    if (this.#isClosed) return;
    if (!wasOpen) {
      void this.#refused();
      return;
    }
    watcher.onLost?.(code);
    if (code !== undefined && FINAL_CLOSES.has(code)) this.#giveUp(`closed with ${code}`);
    else this.#reopenAfter(code === 1012 && this.#drainMs !== undefined ? this.#drainMs : this.#backoff());
  }

  /** No handshake says why it was refused, but the server does when it is asked. */
  async #refused(): Promise<void> {
    const { settings, user, jar, watcher } = this.#options;
    const refusal = await askWhy(`${settings.baseUrl}${this.#path(user)}`, jar, this.#headers());
    if (this.#isClosed) return;
    if (refusal !== undefined) watcher.onRefused?.(refusal);
    // What a proxy says while it has no pod passes: Traefik calls it 404.
    if (refusal !== undefined && refusal.code !== '' && FINAL_STATUSES.has(refusal.status))
      this.#giveUp(`refused with ${refusal.status} ${refusal.code}`);
    // Not all in the same moment, which would only be refused again.
    else if (refusal?.retryAfterMs !== undefined)
      this.#reopenAfter(refusal.retryAfterMs + Math.random() * AGAIN_MS);
    else this.#reopenAfter(this.#backoff());
  }

  #backoff(): number {
    const most = Math.min(BACKOFF_MS.cap, BACKOFF_MS.base * 2 ** this.#attempt);
    this.#attempt += 1;
    return Math.random() * most;
  }

  #reopenAfter(ms: number): void {
    this.#after(ms, () => this.open());
  }

  #giveUp(why: string): void {
    this.close();
    console.warn(`${this.#options.user} gives up: ${why}`);
    this.#options.watcher.onGivenUp?.();
  }
}

/** As unlikely to come twice as a ref needs to be. */
function newRef(): string {
  return `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
}

/** The cookies of this virtual user. */
export function ownJar(): CookieJar {
  return http.cookieJar();
}
