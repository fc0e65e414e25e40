import { setTimeout as sleep } from 'node:timers/promises';
import { type Ending, RawSocket } from '../load/raw-socket.ts';
import { UpgradeRefused } from '../load/upgrade.ts';
import type { ServerFrame } from '../multi/member.ts';

const JOIN_TIMEOUT_MS = 15_000;
const DRAIN_CODE = 1012;

/** What a follower tells; times by `performance.now()`. */
export interface Watcher {
  /** One of the benchmark's messages. */
  onMessage(number: number): void;
  /** It begins a handshake with the pod it was sent to. */
  onReturning(at: number): void;
  /** It was refused there for now. */
  onRefused(): void;
  onReturned(gap: { readonly from: number; readonly to: number; readonly replayed: number }): void;
  /** What a drain never does. */
  onFault(error: Error): void;
}

export interface FollowerOptions {
  readonly user: string;
  readonly room: string;
  readonly from: number;
  /** The pod where it goes when it is sent away; both are ports. */
  readonly to: number;
  readonly watcher: Watcher;
}

interface Frame extends ServerFrame {
  readonly data?: ServerFrame['data'] & { readonly bench?: string };
}

/** A well-behaved client: does as the drain says, and misses nothing that was published meanwhile. */
export class Follower {
  readonly #options: FollowerOptions;
  /** The last id it received, or the position of its room when it joined. */
  #position: string | undefined;
  #reconnectAfterMs: number | undefined;

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  /** Joins at the first pod; refused for now, it comes again. */
  async join(): Promise<void> {
    for (;;) {
      try {
        await this.#open(this.#options.from);
        return;
      } catch (error) {
        await sleep(retryAfter(error));
      }
    }
  }

  /** Resolves with the frame that says so when it has joined at this port. */
  #open(port: number): Promise<Frame> {
    const { promise, resolve, reject } = Promise.withResolvers<Frame>();
    const timeout = setTimeout(() => reject(new Error(`${this.#path}: not joined in time`)), JOIN_TIMEOUT_MS);
    let isJoined = false;
    void new RawSocket({
      port,
      path: this.#path,
      onText: (bytes, start, end) => {
        const frame = JSON.parse(bytes.toString('utf8', start, end)) as Frame;
        this.#read(frame);
        if (frame.event !== 'joined') return;
        clearTimeout(timeout);
        isJoined = true;
        resolve(frame);
      },
      onClose: (ending) => {
        clearTimeout(timeout);
        if (isJoined) void this.#follow(ending);
        else reject(failure(this.#path, ending));
      },
    });
    return promise;
  }

  get #path(): string {
    const { room, user } = this.#options;
    const query = new URLSearchParams({ user_id: user });
    if (this.#position !== undefined) query.set('last_id', this.#position);
    return `/ws/${room}?${query.toString()}`;
  }

  #read({ type, event, id, data }: Frame): void {
    const { watcher } = this.#options;
    if (type === 'chat' && data?.bench !== undefined) {
      this.#position = id;
      watcher.onMessage(Number(data.bench));
    } else if (event === 'joined') this.#position ??= data?.position;
    else if (event === 'drain') this.#reconnectAfterMs = data?.reconnect_after_ms;
    else if (type === 'error') watcher.onFault(new Error(`an error came: ${JSON.stringify(data)}`));
  }

  /** Its connection has ended: to the other pod, when it is to be there. */
  async #follow({ code, error, at: from }: Ending): Promise<void> {
    const { watcher } = this.#options;
    const waitMs = this.#reconnectAfterMs;
    this.#reconnectAfterMs = undefined;
    try {
      if (code !== DRAIN_CODE || waitMs === undefined)
        throw new Error(`closed with ${code}, told to return after ${waitMs} ms`, { cause: error });
      const rest = from + waitMs - performance.now();
      if (rest > 0) await sleep(rest);
      const { data } = await this.#return();
      if (data?.recovered !== true) throw new Error(`not recovered: ${JSON.stringify(data)}`);
      watcher.onReturned({ from, to: performance.now(), replayed: data.replayed ?? 0 });
    } catch (fault) {
      watcher.onFault(fault as Error);
    }
  }

  async #return(): Promise<Frame> {
    const { to, watcher } = this.#options;
    for (;;) {
      try {
        watcher.onReturning(performance.now());
        return await this.#open(to);
      } catch (error) {
        const waitMs = retryAfter(error);
        watcher.onRefused();
        await sleep(waitMs);
      }
    }
  }
}

/** Why a connection that never joined has ended. */
function failure(path: string, { error, code }: Ending): Error {
  if (error instanceof UpgradeRefused) return error;
  return new Error(`${path}: ${error?.message ?? `closed with ${code}`} before it had joined`, {
    cause: error,
  });
}

/** How long a pod wants a client to wait; throws what is no such answer. */
function retryAfter(error: unknown): number {
  if (error instanceof UpgradeRefused && error.retryAfterMs !== undefined) return error.retryAfterMs;
  throw error;
}
