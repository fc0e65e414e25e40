import { Push } from './replies.ts';

/** A connection that listens. */
export interface Listener {
  push(message: Push): void;
}

/** Who listens to which channels of a server: to those that all servers share, and to those that belong to slots. */
export class Channels {
  readonly #shared = new Map<string, Set<Listener>>();
  readonly #sharded = new Map<string, Set<Listener>>();

  /** Gives whether it is new. */
  add(channel: string, listener: Listener, sharded: boolean): boolean {
    const all = sharded ? this.#sharded : this.#shared;
    const listeners = all.get(channel) ?? new Set();
    all.set(channel, listeners);
    return listeners.size < listeners.add(listener).size;
  }

  remove(channel: string, listener: Listener, sharded: boolean): void {
    const all = sharded ? this.#sharded : this.#shared;
    const listeners = all.get(channel);
    listeners?.delete(listener);
    if (listeners?.size === 0) all.delete(channel);
  }

  /** Gives how many hear it. */
  publish(channel: string, message: string, sharded: boolean): number {
    const listeners = (sharded ? this.#sharded : this.#shared).get(channel);
    if (listeners === undefined) return 0;
    const push = new Push([sharded ? 'smessage' : 'message', channel, message]);
    for (const listener of listeners) listener.push(push);
    return listeners.size;
  }

  shardedChannels(): string[] {
    return [...this.#sharded.keys()];
  }

  listenersOf(channel: string): Listener[] {
    return [...(this.#sharded.get(channel) ?? [])];
  }
}
