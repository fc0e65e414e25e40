import type { ErrorCode } from '../protocol/error-codes.ts';
import { CrosspodError } from './errors.ts';
import { utf8Length } from '../protocol/json.ts';

/** The subprotocol of the message dialect. */
export const SUBPROTOCOL = 'crosspod.message.v1';

/** How a user appears in a room. */
export type Status = 'online' | 'away' | 'offline';

/** A user who is present in a room. */
export interface Member {
  readonly user_id: string;
  readonly status: Status;
  /** What the user's client gave to `setPresence`. */
  readonly meta?: unknown;
  /** When the presence changed last, in seconds since 1970. */
  readonly updated_at?: number;
}

/** A message as the server delivers it. Nothing checks that `data` has the type that the application declared. */
export interface Message<Data = unknown> {
  readonly type: 'chat' | 'notification';
  readonly id: string;
  /** The room; absent in direct and global messages. */
  readonly room?: string;
  /** The id of the user who published the message. */
  readonly from: string;
  /** The recipient of a direct message: a user id, or `conn:<id>`. */
  readonly to?: string;
  /** The name of the event; absent in a plain chat or notification. */
  readonly event?: string;
  readonly data: Data;
  /** When the server accepted the message: RFC 3339, UTC. */
  readonly timestamp: string;
  /** True if the server does not store the message; its id is then no position. */
  readonly ephemeral?: boolean;
  /** True if the server has not stored the message yet: its id is no position and will be replaced. */
  readonly provisional?: boolean;
  /** The id that the message had while it was provisional. */
  readonly provisional_id?: string;
}

/** The server's answer to a join. */
export interface Joined {
  /** The position at which the room's history ends. */
  readonly position?: string;
  /** The number of members in the room. */
  readonly count: number;
  /** The members; in a large room only some of them. Absent if the client may not see them. */
  readonly members?: readonly Member[];
  /** After a resume: whether no message is missing. */
  readonly recovered?: boolean;
  /** Why messages are missing, or may be. */
  readonly reason?: UnrecoveredReason;
  /** How many stored messages follow. */
  readonly replayed?: number;
}

/** Why messages are missing, or may be; docs/protocol.md explains each reason. */
export type UnrecoveredReason = 'trimmed' | 'expired' | 'unknown_position' | 'history_lost' | 'unavailable';

/** Any frame of the server; `type` and `event` determine which fields it has. */
export interface Frame {
  readonly type: string;
  readonly event?: string;
  readonly room?: string;
  readonly ref?: string;
  readonly id?: string;
  readonly from?: string;
  readonly data?: unknown;
}

/** The frame in a WebSocket message; undefined for anything that is not a frame, which the client ignores. */
export function parseFrame(text: unknown): Frame | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return fieldsOf(value)['type'] === undefined ? undefined : (value as Frame);
  } catch {
    return undefined;
  }
}

export type Fields = Readonly<Record<string, unknown>>;

/** The fields of an object; no fields for any other value. */
export function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

export function numberOr(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}

/** Whether JSON text has more than `bytes` bytes in UTF-8. */
export function isLonger(text: string, bytes: number): boolean {
  // A UTF-16 unit has at most three bytes, so nearly every text is short enough without counting.
  if (text.length * 3 <= bytes) return false;
  return utf8Length(text) > bytes;
}

/** The error that an error frame carries. */
export function errorOf(frame: Frame): CrosspodError {
  const { code, error, retry_after_ms: wait } = fieldsOf(frame.data);
  return new CrosspodError(
    String(code) as ErrorCode,
    String(error ?? code),
    typeof wait === 'number' ? wait : undefined,
  );
}
