import type { Status } from './command.ts';
import type { Json } from './json.ts';
import type { Rejection } from './error-codes.ts';

/** One user in a room's presence, however many connections it has. */
export interface Member {
  readonly userId: string;
  readonly status: Exclude<Status, 'offline'>;
  /** A JSON object. */
  readonly meta: Json;
  /** Seconds since 1970. */
  readonly updatedAt: number;
}

/** Why messages after a position could not be brought back. */
export type Missing = 'trimmed' | 'expired' | 'unknown_position' | 'history_lost' | 'unavailable';

/** What the answer to a join says of the messages since `last_id`; absent where none was given. */
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
  /** Absent for those who may not see presence. */
  readonly members?: readonly Member[] | undefined;
  readonly recovery?: Recovery | undefined;
  /** Messages that follow at once. */
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

/** What the server says that is not a published message; each dialect knows which of them it carries, and how. */
export type ServerEvent =
  | {
      readonly kind: 'connected';
      readonly connectionId: string;
      readonly userId: string;
      readonly heartbeatSeconds: number;
      /** The longest frame that the client may send. */
      readonly maxMessageBytes: number;
      readonly at: number;
    }
  | (Joined & { readonly at: number })
  | (Answer & { readonly kind: 'left'; readonly room: string; readonly at: number })
  | { readonly kind: 'sync'; readonly room: string; readonly members: readonly Member[] }
  | { readonly kind: 'ack'; readonly ref: string; readonly id?: string; readonly room?: string | undefined }
  | (Answer & { readonly kind: 'error'; readonly room?: string | undefined; readonly rejection: Rejection })
  | PresenceEvent
  | { readonly kind: 'members'; readonly room: string; readonly count: number; readonly at: number }
  /** Who is there, for those who may have missed changes. */
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
      /** When the token ends, in milliseconds since 1970; undefined: never. */
      readonly expiresAt: number | undefined;
      readonly at: number;
    })
  | (Answer & { readonly kind: 'pong'; readonly at: number })
  /** The connection is about to be closed with 1012; the client should be back so many milliseconds after. */
  | { readonly kind: 'drain'; readonly reconnectAfterMs: number; readonly at: number };
