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

/**
 * Who is present in which room. Kept per connection, shown per user: a user is there while one connection is. Of
 * several, the latest statement counts. The store announces nothing; whoever called passes the change on.
 */
export interface PresenceStore {
  /** The connection is in the room and says nothing: a user already there stays as it was (no change). */
  enter(room: string, who: Occupant): Promise<PresenceChange | undefined>;
  /** The connection is in the room and says so: a `join` for a user who was not there, else an `update`. */
  state(room: string, who: Occupant, statement: Statement): Promise<PresenceChange>;
  /**
   * The connection was lost and its user may return: until `exit` it counts as there, and the user's next connection
   * to enter takes its place.
   */
  lose(room: string, who: Occupant): Promise<void>;
  /** The connection is gone: a `leave` if it was the user's last, else no change. */
  exit(room: string, who: Occupant): Promise<PresenceChange | undefined>;
  /** At most `limit` users, and how many there are. */
  list(room: string, limit: number): Promise<{ members: Member[]; count: number }>;
}
