import type { Off } from './signal.ts';

/**
 * Timers and the time in milliseconds. Tests give a clock that they move by hand.
 *
 * @inline
 */
export interface Clock {
  now(): number;
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
}

/** A longer timer fires at once, in browsers and in Node. */
export const LONGEST_TIMER_MS = 2_147_483_647;

/** The part of the standard WebSocket that the client uses. */
export interface Socket {
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(
    type: 'close',
    listener: (event: { readonly code: number; readonly reason: string }) => void,
  ): void;
  addEventListener(type: 'error', listener: () => void): void;
  send(text: string): void;
  close(code?: number): void;
}

export type SocketConstructor = new (url: string, protocols: string[]) => Socket;

/** The part of the standard `fetch` that the client uses. */
export type Fetch = (
  url: string,
  init: {
    readonly headers: Record<string, string>;
    readonly signal: AbortSignal;
    readonly referrerPolicy: 'origin';
    readonly credentials?: 'include';
  },
) => Promise<{
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  json(): Promise<unknown>;
}>;

/**
 * What the platform tells the client: the network may be gone (`worse`), or may be back (`better`).
 *
 * @inline
 */
export type Hint = 'worse' | 'better';

/** What the client uses of the runtime. Browsers and Node 22 offer all of it. */
export interface Platform {
  /** Timers and the time in milliseconds. */
  readonly clock: Clock;
  /** Returns a random number in [0, 1). */
  readonly random: () => number;
  /** The standard constructor, or one with the same events, `send` and `close`. */
  readonly WebSocket: SocketConstructor;
  /** The standard `fetch`. The client uses it only to find out why a handshake failed. */
  readonly fetch: Fetch;
  /**
   * Calls the listener, until it is removed, with `worse` when the network may be gone and with `better` when it may be
   * back, or when the application comes to the front.
   */
  readonly watch: (listener: (hint: Hint) => void) => Off;
  /** Prints an error for which the application has no listener. */
  readonly warn: (text: string, error: Error) => void;
}

const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (timer) => clearTimeout(timer as Parameters<typeof clearTimeout>[0]),
};

/**
 * Completes `given` with what browsers, workers and Node 22 or later offer. Raises a TypeError if there is no
 * WebSocket.
 */
export function platformWith(given: Partial<Platform>): Platform {
  const { WebSocket = globalThis.WebSocket } = given;
  if (typeof WebSocket !== 'function') {
    throw new TypeError(
      'This runtime has no WebSocket: use Node 22 or later, or give one as platform.WebSocket.',
    );
  }
  return {
    clock: systemClock,
    random: Math.random,
    fetch: (url, init) => fetch(url, init),
    watch,
    // oxlint-disable-next-line no-console -- The one way to reach a developer who added no listener.
    warn: (text, error) => console.warn(text, error),
    ...given,
    WebSocket,
  };
}

/** Browsers have all of this, workers a part of it, and Node nothing. */
interface Target {
  readonly visibilityState?: string;
  addEventListener?(name: string, listener: () => void): void;
  removeEventListener?(name: string, listener: () => void): void;
}

function watch(listener: (hint: Hint) => void): Off {
  const scope = globalThis as Target & { readonly document?: Target };
  const { document } = scope;
  const worse = (): void => listener('worse');
  const better = (): void => listener('better');
  // A tab that becomes visible may have slept, and its timers with it.
  const shown = (): void => {
    if (document?.visibilityState === 'visible') better();
  };
  const events = [
    [scope, 'offline', worse],
    [scope, 'online', better],
    [document, 'visibilitychange', shown],
  ] as const;
  for (const [target, name, call] of events) target?.addEventListener?.(name, call);
  return () => {
    for (const [target, name, call] of events) target?.removeEventListener?.(name, call);
  };
}
