import type { Status } from './command.ts';
import type { Json } from './json.ts';
import type { Rejection } from './error-codes.ts';

/** One user who is present in a room, with one or more connections. */
export interface Member {
  readonly userId: string;
  readonly status: Exclude<Status, 'offline'>;
  /** A JSON object. */
  readonly meta: Json;
  /** Seconds since 1970. */
  readonly updatedAt: number;
}

/** Why messages after a position cannot be replayed. */
export type Missing = 'trimmed' | 'expired' | 'unknown_position' | 'history_lost' | 'unavailable';

/** The result of a join with `last_id`. */
export interface Recovery {
  readonly recovered: boolean;
  readonly reason?: Missing | undefined;
}

interface Answer {
  readonly ref?: string | undefined;
}

export interface Joined extends Answer {
  readonly kind: 'joined';
  readonly room: string;
  readonly position: string;
  /** Users present. */
  readonly count: number;
  /** Absent if the client may not see presence. */
  readonly members?: readonly Member[] | undefined;
  readonly recovery?: Recovery | undefined;
  /** The `match` of the operator's rule for the room; absent without one. */
  readonly rule?: string | undefined;
  /** How long `data` may be in this room, if its rule limits it. */
  readonly maxDataBytes?: number | undefined;
  /** What the operator's hook or backend says to the client. */
  readonly data?: Json | undefined;
  /** How many stored messages follow. */
  readonly replayed: number;
}

export interface PresenceEvent {
  readonly kind: 'presence';
  readonly room: string;
  readonly change: 'join' | 'update' | 'leave';
  readonly member: Member;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** Everything the server sends except published messages. A dialect need not have a frame for each. */
export type ServerEvent =
  | {
      readonly kind: 'connected';
      readonly connectionId: string;
      /** The user's own room; absent without one. */
      readonly personalRoom?: string | undefined;
      readonly userId: string;
      readonly heartbeatSeconds: number;
      /** The maximum length of a frame from the client. */
      readonly maxMessageBytes: number;
      /** What the operator's backend says to the client. */
      readonly data?: Json | undefined;
      readonly at: number;
    }
  | (Joined & { readonly at: number })
  | (Answer & { readonly kind: 'left'; readonly room: string; readonly at: number })
  | { readonly kind: 'sync'; readonly room: string; readonly members: readonly Member[] }
  | { readonly kind: 'ack'; readonly ref: string; readonly id?: string; readonly room?: string | undefined }
  | (Answer & { readonly kind: 'error'; readonly room?: string | undefined; readonly rejection: Rejection })
  | PresenceEvent
  | { readonly kind: 'members'; readonly room: string; readonly count: number; readonly at: number }
  /** The list of members, for a client that may have missed changes. */
  | {
      readonly kind: 'census';
      readonly room: string;
      readonly count: number;
      readonly members: readonly Member[];
      readonly at: number;
    }
  | (Recovery & {
      readonly kind: 'recovered';
      readonly room: string;
      readonly replayed: number;
      readonly at: number;
    })
  | (Answer & {
      readonly kind: 'authenticated';
      /** When the token expires, in milliseconds since 1970; undefined: never. */
      readonly expiresAt: number | undefined;
      readonly at: number;
    })
  | (Answer & { readonly kind: 'pong'; readonly at: number })
  /** The answer to a call. */
  | (Answer & { readonly kind: 'result'; readonly data: Json })
  /** Announces a close with 1012. The client should reconnect `reconnectAfterMs` after the close. */
  | { readonly kind: 'drain'; readonly reconnectAfterMs: number; readonly at: number };
