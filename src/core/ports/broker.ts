import type { Missing } from '../../protocol/event.ts';

/** A message in the history of a room. */
export interface Stored {
  /** Its position. */
  readonly id: string;
  /** The position of the message before it, even if the history no longer holds that message. */
  readonly prev: string;
  /** What `encodeBody` wrote. A broker never parses it. */
  readonly body: string;
  /** As given to `publish`. A broker must carry it to the other pods and need not store it. */
  readonly trace?: string | undefined;
  /**
   * The provisional id that the message had on some pod, or would have had there. A broker that hands out provisional
   * ids must always set it, in `message` and in `read`. Absent if a broker never hands them out.
   */
  readonly provisionalId?: string | undefined;
}

/** The value of a room. `id` is a position if a history stored the message. */
export type LastValue = Pick<Stored, 'id' | 'body' | 'provisionalId'>;

/** A message that no history stores. */
export interface Fleeting {
  readonly id: string;
  readonly body: string;
  readonly trace?: string | undefined;
  /**
   * The key under which the id was claimed. If a broker knows another id under the same key from the last five minutes,
   * it must drop this message: the answer to the claim was lost, and the publisher published again on another pod.
   */
  readonly key?: string | undefined;
}

/** What one pod tells all others. `to` is a user id or `conn:<id>`. */
export type Note =
  | (Fleeting & { readonly kind: 'global' })
  | (Fleeting & { readonly kind: 'direct'; readonly to: string })
  | { readonly kind: 'kick'; readonly to: string; readonly reason?: string | undefined };

/** The value of a room, which a join gets: the newest message in the slot. A rule names the slot. */
export interface LastValueSlot {
  readonly slot: 'any' | 'server';
  /** How long a message stays the value of the room, in milliseconds. */
  readonly ttlMs: number;
}

export interface PublishOptions {
  /** The message becomes the value of its room. */
  readonly lastValue?: LastValueSlot | undefined;
  /** Makes the publication idempotent within its room for five minutes. */
  readonly key?: string | undefined;
  /** The trace of the message (see tracer.ts). It must never reach a client. */
  readonly trace?: string | undefined;
}

export interface Published {
  readonly id: string;
  /** The key was used before: `id` is that of the first publication, and nothing was published. */
  readonly duplicate: boolean;
  /**
   * With `duplicate`: an earlier attempt to store this very publication got no answer, so it may itself be the first one.
   */
  readonly maybeFirst?: boolean | undefined;
  /**
   * Set while the history is unavailable: `id` is provisional, the message was handed to `Receiver.provisional`, and it
   * waits. Resolves with the final result once the history has stored the message.
   */
  readonly settled?: Promise<Published> | undefined;
  /** The other pods could not be reached and will not get the message. */
  readonly partial?: boolean | undefined;
}

/**
 * Where a read starts: after a position, at a moment (milliseconds by `Broker.now`), or with the `newest` so many.
 * `isOurs`: this broker gave the position to the pod. Any other position is the claim of a client, from which nothing
 * follows about what the members of other pods missed.
 */
export type ReadFrom =
  | { readonly after: string; readonly isOurs?: boolean }
  | { readonly since: number }
  | { readonly newest: number };

export interface Page {
  /** Oldest first. */
  readonly messages: readonly Stored[];
  /** Where the page ends: the id of its last message, or the newest position of the room if no message follows. */
  readonly position: string;
  /** The limit cut the page short. */
  readonly more: boolean;
  /**
   * Why messages after the position are missing; absent if none is. The page starts after the position if the history
   * still holds that (`history_lost`: a failover dropped some that followed), else with the oldest message. So a reader
   * that follows `position` from page to page reaches the end. `since` gives `trimmed` if a message of that time is
   * gone; `newest` never gives a reason.
   */
  readonly missing?: Missing | undefined;
}

/**
 * Where a broker delivers; a room is one that the pod subscribed. No method throws. A method may call the broker back
 * in the same turn of the event loop: after `newest`, or if a message is missing, to read.
 */
export interface Receiver {
  /** A stored message, in the order of the room, apart from messages that a broken connection lost. */
  message(room: string, stored: Stored): void;
  /**
   * Whether the members have what `message` brought under this id, as soon as that is known. A broker that buffers
   * publications must ask before its `publish` resolves: what the client publishes next may be delivered provisionally,
   * and must not overtake this message. False: an earlier message is missing and cannot be read now. The room then
   * stops waiting; this message comes from the history, or by `provisional`.
   */
  delivered(room: string, id: string): boolean | Promise<boolean>;
  /** A message of another pod that no history stores. */
  fleeting(room: string, message: Fleeting): void;
  /** A message of this pod that cannot be stored now; it comes again by `message`, with its `provisionalId`. */
  provisional(room: string, message: Fleeting): void;
  /**
   * This pod will not store a message that it handed to `provisional`: the broker rejected it, or it is in the history
   * as `id` already. In the second case `message` brings it, or has brought it.
   */
  forgotten(room: string, provisionalId: string, id?: string): void;
  /**
   * The newest position of the room, or undefined if unknown. A broker must call this for every subscribed room
   * whenever messages may have been missed, and once calls about the room that failed with `unavailable` would succeed
   * again.
   */
  newest(room: string, position: string | undefined): void;
  note(note: Note): void;
}

/** One way in which a server that the pod needs is unavailable. */
export interface Trouble {
  /** The server as `host:port`, the name of the master if Sentinels know it, or `cluster` if no server is known. */
  readonly part: string;
  /** `answers`: commands fail. `publications`: messages of other pods do not arrive, or not all of them. */
  readonly lost: 'answers' | 'publications';
  /** In words, for operators. Contains no secret. */
  readonly reason: string;
}

/**
 * Carries messages between pods and stores the history of rooms.
 *
 * The pod calls `start` once, then any method, then `stop` once. Calls about one room take effect in the order in which
 * they were made. What `publish` appends has one order per room on all pods. Every pod that has subscribed the room,
 * the publisher's own included, receives it at least once and finds out by `prev` whether a message is missing.
 *
 * A broker that cannot be reached must reject with `Refused` and the code `unavailable` within two seconds.
 */
export interface Broker {
  /** Whether the other pods and all histories can be reached. */
  readonly available: boolean;
  /** The same for one room, whose history may be on a server of its own. */
  reaches(room: string): boolean;
  /** Whole milliseconds since 1970, by the clock that dates the messages of the room, as far as the pod knows it. */
  now(room: string): number;
  /** What is unavailable and why; empty if nothing is. A broker without this method has only `available`. */
  troubles?(): readonly Trouble[];
  /** Resolves once the broker knows whether it is available. A broker that cannot be reached yet must not reject. */
  start(receiver: Receiver): Promise<void>;
  /**
   * Raises `too_large` if a body, or the `meta` of a user, cannot be carried to the other pods; `id` is the user or
   * connection it is for. The pod asks before its own members get what the others would not. A broker without this
   * method can carry all that the settings allow.
   */
  requireFits?(text: string, id?: string): void;
  /**
   * Appends to the history and delivers to the subscribers, in one step. Raises `too_large`, and `unavailable` if the
   * buffer is full.
   */
  publish(room: string, body: string, options?: PublishOptions): Promise<Published>;
  /**
   * Tells the other pods that have subscribed the room, at most once. `lastValue`: the message becomes the value of the
   * room.
   */
  tell(room: string, message: Fleeting, lastValue?: LastValueSlot): Promise<void>;
  /**
   * The message that became the value of the room last, unless it is older than its slot allows now. A broker without
   * this method keeps no values. Raises `unavailable`.
   */
  lastValue?(room: string, slot: LastValueSlot): Promise<LastValue | undefined>;
  /** Tells all other pods, at most once. */
  tellAll(note: Note): Promise<void>;
  /** Makes idempotent what no history stores: returns the first `id` claimed under the key within five minutes. */
  claim(room: string, key: string, id: string): Promise<string>;
  /**
   * The first id under the key within five minutes, of a stored message or by `claim`; undefined if there is none, or if
   * that cannot be found out now. A broker without this method lets hooks decide again about a message that is repeated.
   */
  claimed?(room: string, key: string): Promise<string | undefined>;
  /** Once resolved, everything published later is received. The subscription stays in force even if this rejects. */
  subscribe(room: string): Promise<void>;
  unsubscribe(room: string): void;
  /**
   * Returns the oldest `limit` messages of those asked for. The page always names a position, even in a room without
   * messages, and a position once named stays valid. `known`: messages that this broker gave the pod lately, oldest
   * first and without a gap. It need not read them again if it knows that the history still has them.
   */
  read(room: string, from: ReadFrom, limit: number, known?: readonly Stored[]): Promise<Page>;
  stop(): Promise<void>;
}
