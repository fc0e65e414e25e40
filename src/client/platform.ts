import type { Off } from './signal.ts';

/** Timers and the time in milliseconds; tests give a clock that they move by hand. */
export interface Clock {
  now(): number;
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
}

/** Timers that are longer than this fire at once, in browsers and in Node. */
export const LONGEST_TIMER_MS = 2_147_483_647;

/** The part of the standard WebSocket that is used here. */
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

/** The part of the standard `fetch` that is used here. */
export type Fetch = (
  url: string,
  init: {
    readonly headers: Record<string, string>;
    readonly signal: AbortSignal;
    readonly referrerPolicy: 'origin';
  },
) => Promise<{
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  json(): Promise<unknown>;
}>;

/** What the client learns from around it: the network may be gone, or things may be better than before. */
export type Hint = 'worse' | 'better';

/** What the client uses of the machine it runs on. */
export interface Platform {
  readonly clock: Clock;
  /** Numbers in [0, 1). */
  readonly random: () => number;
  readonly WebSocket: SocketConstructor;
  readonly fetch: Fetch;
  /** Calls the listener until it is taken away. */
  readonly watch: (listener: (hint: Hint) => void) => Off;
  /** Tells the developer of what no listener heard. */
  readonly warn: (text: string, error: Error) => void;
}

const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (timer) => clearTimeout(timer as Parameters<typeof clearTimeout>[0]),
};

/** Browsers, workers, and Node 22 or later; throws a TypeError where there is no WebSocket and none was given. */
export function platformWith(given: Partial<Platform>): Platform {
  const { WebSocket = globalThis.WebSocket } = given;
  // Older Node versions have none.
  if (typeof WebSocket !== 'function') {
    throw new TypeError(
      'there is no WebSocket here: use Node 22 or later, or give one as platform.WebSocket',
    );
  }
  return {
    clock: systemClock,
    random: Math.random,
    fetch: (url, init) => fetch(url, init),
    watch,
    // oxlint-disable-next-line no-console -- The one way to reach a developer who listens to nothing.
    warn: (text, error) => console.warn(text, error),
    ...given,
    WebSocket,
  };
}

/** What browsers have, workers in part, and Node not at all. */
interface Target {
  readonly visibilityState?: string;
  addEventListener?(name: string, listener: () => void): void;
  removeEventListener?(name: string, listener: () => void): void;
}

function watch(listener: (hint: Hint) => void): Off {
  const surroundings = globalThis as Target & { readonly document?: Target };
  const { document } = surroundings;
  const away = (): void => listener('worse');
  const back = (): void => listener('better');
  // A tab that is shown again may have slept, and its timers with it.
  const shown = (): void => {
    if (document?.visibilityState === 'visible') back();
  };
  const events = [
    [surroundings, 'offline', away],
    [surroundings, 'online', back],
    [document, 'visibilitychange', shown],
  ] as const;
  for (const [target, name, call] of events) target?.addEventListener?.(name, call);
  return () => {
    for (const [target, name, call] of events) target?.removeEventListener?.(name, call);
  };
}
