import type { Member } from '../../protocol/event.ts';
import type { Json } from '../../protocol/json.ts';
import type { Status } from '../../protocol/command.ts';

/** A connection and whose it is. */
export interface Occupant {
  readonly connectionId: string;
  readonly userId: string;
}

/** What others should be told; `count` is the number of users present afterwards. */
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

/** Whom a store tells. Nothing here throws. */
export interface PresenceReceiver {
  /**
   * Somebody came, changed or left, on whichever pod. Called on every pod that has subscribed the room, in one order
   * (those who leave because a pod has died may stand elsewhere in it); on the pod that caused it before the call that
   * did resolves.
   */
  changed(room: string, change: PresenceChange): void;
  /**
   * The store itself has caused this change, here and on no other pod: after the pod that the user was on died, or
   * after a time in which the store could not be reached.
   */
  caused(room: string, change: PresenceChange): void;
  /** Members of those subscribed rooms may have come and gone without `changed`. */
  uncertain(isConcerned: (room: string) => boolean): void;
}

/**
 * Who is present in which room. Kept per connection, shown per user: a user is there while one connection is. Of
 * several, the latest statement counts.
 *
 * Order of calls: `start` once, then anything, then `stop` once. A store that cannot be reached raises `Refused` with
 * `unavailable`; it makes up for the missed calls by itself.
 */
export interface PresenceStore {
  start(receiver: PresenceReceiver): Promise<void>;
  /**
   * The connection is in the room and says nothing: a user already there stays as it was (no change). `returns`: it goes
   * on where one that was lost ended.
   */
  enter(room: string, who: Occupant, returns?: boolean): Promise<PresenceChange | undefined>;
  /** The connection is in the room and says so: a `join` for a user who was not there, else an `update`. */
  state(room: string, who: Occupant, statement: Statement, returns?: boolean): Promise<PresenceChange>;
  /**
   * The connection was lost and its user may return: until `exit` it counts as there, whatever the user's others do; but
   * the next one to enter that returns takes its place.
   */
  lose(room: string, who: Occupant): Promise<void>;
  /** The connection is gone: a `leave` if it was the user's last, else no change. */
  exit(room: string, who: Occupant): Promise<PresenceChange | undefined>;
  /** At most `limit` users, and how many there are. */
  list(room: string, limit: number): Promise<{ members: Member[]; count: number }>;
  /** What this pod keeps counts for `graceMs` longer; then its users have left, unless they are on other pods. */
  stop(graceMs: number): Promise<void>;
}
