import { Crosspod, type CrosspodOptions } from '../../src/client/client.ts';
import type { Fetch, Hint, Platform } from '../../src/client/platform.ts';
import { FakeClock } from './fake-clock.ts';
import { fakeSockets, type FakeSocket } from './fake-socket.ts';

/** What a plain request to the server is answered; undefined: nobody answers. */
export interface Answer {
  readonly status: number;
  readonly code?: string;
  readonly error?: string;
  readonly retryAfter?: string;
}

/** A machine on which everything is up to the test. */
export class FakePlatform implements Platform {
  readonly clock = new FakeClock();
  readonly made: FakeSocket[];
  WebSocket: Platform['WebSocket'];
  /** Half of every wait that is drawn. */
  readonly random = (): number => 0.5;
  readonly warnings: string[] = [];
  /** What was asked by plain requests: address and `Authorization`. */
  readonly asked: [url: string, authorization: string | undefined][] = [];
  readonly #hearers = new Set<(hint: Hint) => void>();
  answer: Answer | 'never' | undefined;
  /** How many questions were given up before they were answered. */
  aborted = 0;

  constructor() {
    ({ made: this.made, WebSocket: this.WebSocket } = fakeSockets());
  }

  readonly watch: Platform['watch'] = (listener) => {
    this.#hearers.add(listener);
    return () => void this.#hearers.delete(listener);
  };

  readonly warn: Platform['warn'] = (_, { message }) => void this.warnings.push(message);

  readonly fetch: Fetch = async (url, { headers, signal }) => {
    this.asked.push([url, headers['Authorization']]);
    const { answer } = this;
    if (answer === undefined) throw new TypeError('fetch failed');
    if (answer === 'never') {
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          this.aborted += 1;
          reject(signal.reason);
        });
      });
    }
    const { status, code, error, retryAfter = null } = answer;
    const json = async (): Promise<unknown> => {
      if (code === undefined) throw new SyntaxError('this is a page of a proxy');
      return { code, error };
    };
    return { status, headers: { get: (name) => (name === 'Retry-After' ? retryAfter : null) }, json };
  };

  /** Whether anybody would hear a hint. */
  get watched(): boolean {
    return this.#hearers.size > 0;
  }

  hints(hint: Hint): void {
    for (const hear of this.#hearers) hear(hint);
  }

  get newest(): FakeSocket {
    const socket = this.made.at(-1);
    if (socket === undefined) throw new Error('no socket was opened');
    return socket;
  }
}

/** A client on such a machine, about to connect. */
export function fakeClient(options: CrosspodOptions = {}) {
  const platform = Object.assign(new FakePlatform(), options.platform);
  const client = new Crosspod('http://pod.test/ws', { ...options, platform });
  return { client, platform, clock: platform.clock, made: platform.made };
}
