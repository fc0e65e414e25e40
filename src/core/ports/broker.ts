import type { Missing } from '../../protocol/event.ts';

/** A message in a room's history. `id` and `prev` are positions, `prev` the one before it (also where it is gone). */
export interface Stored {
  readonly id: string;
  readonly prev: string;
  /** What `encodeBody` wrote; a broker never looks inside. */
  readonly body: string;
  /** As it was given to `publish`; a broker brings it to the pods and need not keep it in the history. */
  readonly trace?: string | undefined;
  /**
   * The provisional id that the message had on some pod, or would have had there. A broker that ever gives provisional
   * ids names it always, whether it brings the message or is asked for it; absent where a broker never gives any.
   */
  readonly provisionalId?: string | undefined;
}

/** A message that no history holds. */
export interface Fleeting {
  readonly id: string;
  readonly body: string;
  readonly trace?: string | undefined;
  /**
   * Under which the id was claimed. A broker does not bring the message where another one of that key is known within
   * five minutes of it: the claim may have been lost on the way, and the publisher have said it again on another pod.
   */
  readonly key?: string | undefined;
}

/** What one pod tells all others. */
export type Note =
  | (Fleeting & { readonly kind: 'global' })
  /** `to` is a user id or `conn:<id>`, also in a kick. */
  | (Fleeting & { readonly kind: 'direct'; readonly to: string })
  | { readonly kind: 'kick'; readonly to: string; readonly reason?: string | undefined };

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
  /**
   * Set while the history cannot be reached: `id` is provisional, the message was handed to `Receiver.provisional` and
   * waits. Resolves with what became of it when the history has it.
   */
  readonly settled?: Promise<Published> | undefined;
  /** The other pods could not be reached and will not have it. */
  readonly partial?: boolean | undefined;
}

/**
 * Where to read from: after a position, from a moment on (by `Broker.now`), or the newest so many. `isOurs`: the pod
 * itself was given the position by this broker. Any other is only what a client says, which tells nothing about what
 * others have missed.
 */
export type ReadFrom =
  | { readonly after: string; readonly isOurs?: boolean }
  | { readonly since: number }
  | { readonly newest: number };

export interface Page {
  /** Oldest first. */
  readonly messages: readonly Stored[];
  /** Where the page ends: the last message's id, or the room's newest position if there are none after `from`. */
  readonly position: string;
  /** The limit cut the page short. */
  readonly more: boolean;
  /**
   * Why messages after the position are missing; absent: none is. The page begins after the position where that is
   * itself kept still (some that followed were dropped by a failover: `history_lost`), else with the oldest kept. So
   * whoever reads on from page to page comes to an end. From a moment on, `trimmed` where one of that time is gone; never
   * with the newest so many.
   */
  readonly missing?: Missing | undefined;
}

/**
 * Where a broker brings things; a room is one that was subscribed. Nothing here throws. It may call the broker back in
 * the same turn: after `newest`, and where a message is missing, to read.
 */
export interface Receiver {
  /** A message of the room's history; in the room's order, except for what a broken connection lost on the way. */
  message(room: string, stored: Stored): void;
  /**
   * Whether the members have what `message` brought under this id, as soon as that is known. Asked by a broker that lets
   * publications wait, before its `publish` resolves: what is published next may then be provisional, and must not come
   * to the members before this one. False: something before it is missing and cannot be read at present. Then the room
   * no longer waits with it; it gets it from the history or by `provisional`.
   */
  delivered(room: string, id: string): boolean | Promise<boolean>;
  /** A message of another pod that no history holds. */
  fleeting(room: string, message: Fleeting): void;
  /** A message of this pod that cannot be kept at present; it comes again by `message` with its `provisionalId`. */
  provisional(room: string, message: Fleeting): void;
  /**
   * A message that was handed over by `provisional` is not this pod's to bring any more: it was refused, or, with its
   * `id` in history, had been published before. Then `message` may have brought it already, or will still.
   */
  forgotten(room: string, provisionalId: string, id?: string): void;
  /**
   * The room's newest position; undefined where that is not known. Called for every subscribed room whenever messages
   * may have gone missing, and once calls about the room that have failed with `unavailable` would succeed again.
   */
  newest(room: string, position: string | undefined): void;
  note(note: Note): void;
}

/** A half of what a pod needs of a server that is gone. */
export interface Trouble {
  /** The server, as `host:port`; the name of the master where Sentinels know it; `cluster` where none of it is known. */
  readonly part: string;
  /** `answers`: it does not answer, or refuses. `publications`: what other pods say is not heard, or not all of it. */
  readonly lost: 'answers' | 'publications';
  /** In words, for an operator; it holds no secret. */
  readonly reason: string;
}

/**
 * Carries messages between pods and keeps the history of rooms.
 *
 * Order of calls: `start` once, then anything, then `stop` once. Calls about one room take effect in the order in
 * which they were made. What `publish` appends has one order per room on all pods; every pod that has subscribed the
 * room, the publisher's own included, receives it at least once, and finds out by `prev` if something is missing.
 *
 * A broker that cannot be reached raises `Refused` with `unavailable`, within two seconds.
 */
export interface Broker {
  /** Whether the other pods and all histories can be reached at present. */
  readonly available: boolean;
  /** The same for one room, whose history may be in a place of its own. */
  reaches(room: string): boolean;
  /** Whole milliseconds since 1970 by the clock that times the room's messages, as far as that is known at present. */
  now(room: string): number;
  /** What is gone between this pod and the others, and why; empty while all is well. Absent: `available` says it all. */
  troubles?(): readonly Trouble[];
  /** Resolves when that is known; a broker that cannot be reached at first is no failure. */
  start(receiver: Receiver): Promise<void>;
  /**
   * Raises `too_large` for a body, or a user's `meta`, that cannot be brought to the other pods, `id` being whom it
   * concerns. Asked before this pod's members are given what others would not be. Absent: all that the settings allow can.
   */
  requireFits?(text: string, id?: string): void;
  /**
   * Appends to the history and tells the subscribers, as one step. Raises `unavailable` if no more can wait, and
   * `too_large`.
   */
  publish(room: string, body: string, options?: PublishOptions): Promise<Published>;
  /** To the other pods that have subscribed the room; at most once. */
  tell(room: string, message: Fleeting): Promise<void>;
  /** To all other pods; at most once. */
  tellAll(note: Note): Promise<void>;
  /** Idempotency for what has no history: the first `id` claimed under the key within five minutes. */
  claim(room: string, key: string, id: string): Promise<string>;
  /** Once resolved, whatever is published from then on is received. Stays asked for, also where it raises. */
  subscribe(room: string): Promise<void>;
  unsubscribe(room: string): void;
  /**
   * At most `limit` messages, the oldest of those that were asked for; names the room's position even where it has none,
   * and a position once named stays good.
   */
  read(room: string, from: ReadFrom, limit: number): Promise<Page>;
  stop(): Promise<void>;
}
