import type { Member } from '../../protocol/event.ts';
import type { Json } from '../../protocol/json.ts';
import type { Status } from '../../protocol/command.ts';

/** A connection and its user. */
export interface Occupant {
  readonly connectionId: string;
  readonly userId: string;
}

/** A change that clients are told; `count` is the number of users present after it. */
export interface PresenceChange {
  readonly kind: 'join' | 'update' | 'leave';
  readonly member: Member;
  readonly count: number;
}

export interface Statement {
  readonly status?: Exclude<Status, 'offline'> | undefined;
  /** A JSON object. */
  readonly meta?: Json | undefined;
}

/** Where a store reports. No method throws. */
export interface PresenceReceiver {
  /**
   * A user joined, changed or left, on any pod. Called on every pod that has subscribed the room, in the same order
   * (except for users who leave because their pod died), and on the pod that caused it before the causing call
   * resolves.
   */
  changed(room: string, change: PresenceChange): void;
  /**
   * The store caused this change on this pod alone: the user's pod died, or the store was unavailable for a time.
   * Called on one pod only.
   */
  caused(room: string, change: PresenceChange): void;
  /** In these subscribed rooms users may have joined or left without a call of `changed`. */
  uncertain(isConcerned: (room: string) => boolean): void;
}

/**
 * Which users are present in which rooms. Stored per connection and shown per user: a user is present while one of the
 * user's connections is, and the latest statement of them counts.
 *
 * The pod calls `start` once, then any method, then `stop` once. A store that cannot be reached rejects with
 * `unavailable`, and makes up for the failed calls by itself.
 */
export interface PresenceStore {
  start(receiver: PresenceReceiver): Promise<void>;
  /**
   * The connection is in the room and states nothing: a user who is present stays unchanged. `returns`: it resumes a
   * connection that was lost.
   */
  enter(room: string, who: Occupant, returns?: boolean): Promise<PresenceChange | undefined>;
  /**
   * Like `enter`, but only if the user is present already or fewer than `most` users are. False: nothing changed. An
   * engine that cannot count and enter in one step may let some more in at the same moment.
   */
  admit(room: string, who: Occupant, most: number, returns?: boolean): Promise<boolean>;
  /** The connection states its user's presence: a `join` if the user was not present, else an `update`. */
  state(room: string, who: Occupant, statement: Statement, returns?: boolean): Promise<PresenceChange>;
  /**
   * The connection was lost and its user may return: it counts as present until `exit`, whatever the user's other
   * connections do. The next connection of the user that enters with `returns` takes its place.
   */
  lose(room: string, who: Occupant): Promise<void>;
  /** The connection is gone: a `leave` if it was the last of its user, else no change. */
  exit(room: string, who: Occupant): Promise<PresenceChange | undefined>;
  /** At most `limit` users, and the number of all. */
  list(room: string, limit: number): Promise<{ members: Member[]; count: number }>;
  /** The users of this pod stay present for `graceMs` more, unless they reconnect to another pod. */
  stop(graceMs: number): Promise<void>;
}
