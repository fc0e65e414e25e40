import type { Missing } from '../../protocol/event.ts';

/** A message in a room's history. `id` and `prev` are positions, `prev` the one before it (also where it is gone). */
export interface Stored {
  readonly id: string;
  readonly prev: string;
  /** What `encodeBody` wrote; a broker never looks inside. */
  readonly body: string;
  /** As it was given to `publish`; a broker brings it to the pods and need not keep it in the history. */
  readonly trace?: string | undefined;
}

export interface PublishOptions {
  /** Makes the publication idempotent for five minutes. */
  readonly key?: string | undefined;
  /** Where the message belongs in a trace (see tracer.ts); no client ever sees it. */
  readonly trace?: string | undefined;
}

export interface Published {
  readonly id: string;
  /** The key was used before: `id` is the first one's and nothing was published. */
  readonly duplicate: boolean;
}

/** Where to read from: after a position, or the newest so many. */
export type ReadFrom = { readonly after: string } | { readonly newest: number };

export interface Page {
  /** Oldest first. */
  readonly messages: readonly Stored[];
  /** Where the page ends: the last message's id, or the room's newest position if there are none after `from`. */
  readonly position: string;
  /** The limit cut the page short. */
  readonly more: boolean;
  /** Why messages after the position are missing; then the page begins with the oldest kept. Absent: none is. */
  readonly missing?: Missing | undefined;
}

/** Where a broker brings messages; the room is one that was subscribed. Called in the room's order. */
export type Receive = (room: string, message: Stored) => void;

/**
 * Carries messages between pods and keeps the history of rooms.
 *
 * Order of calls: `start` once, then anything, then `stop` once. Calls about one room take effect in the order in
 * which they were made. What `publish` appends has one order per room on all pods; every pod that has subscribed the
 * room, the publisher's own included, receives it at least once, and finds out by `prev` if something is missing.
 */
export interface Broker {
  start(receive: Receive): Promise<void>;
  /** Appends to the history and tells the subscribers, as one step. */
  publish(room: string, body: string, options?: PublishOptions): Promise<Published>;
  /** Idempotency for what has no history: the first `id` claimed under the key within five minutes. */
  claim(room: string, key: string, id: string): Promise<string>;
  /** Once resolved, whatever is published from then on is received. */
  subscribe(room: string): Promise<void>;
  unsubscribe(room: string): void;
  /** At most `limit` messages; names the room's position even where it has none. */
  read(room: string, from: ReadFrom, limit: number): Promise<Page>;
  stop(): Promise<void>;
}
