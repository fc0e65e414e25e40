import type { ErrorCode } from '../protocol/error-codes.ts';
import { CrosspodError } from './errors.ts';
import { utf8Length } from '../protocol/json.ts';

/** The subprotocol of the message dialect. */
export const SUBPROTOCOL = 'crosspod.message.v1';

export type Status = 'online' | 'away' | 'offline';

/** Who is in a room; `updated_at` is in seconds since 1970. */
export interface Member {
  readonly user_id: string;
  readonly status: Status;
  readonly meta?: unknown;
  readonly updated_at?: number;
}

/** What somebody published. `timestamp` is RFC 3339 in UTC. Nothing checks that `data` is what the sender promised. */
export interface Message<Data = unknown> {
  readonly type: 'chat' | 'notification';
  readonly id: string;
  /** Absent in direct and global messages. */
  readonly room?: string;
  readonly from: string;
  /** Of a direct message: whom it was sent to, a user or `conn:<id>`. */
  readonly to?: string;
  readonly event?: string;
  readonly data: Data;
  readonly timestamp: string;
  /** Not kept: its id is no position. */
  readonly ephemeral?: boolean;
  /** The server has not stored it yet: its id is no position and will be replaced. */
  readonly provisional?: boolean;
  /** The id it had while it was provisional. */
  readonly provisional_id?: string;
}

/** The answer to a join. */
export interface Joined {
  /** Where the room's history ends. */
  readonly position?: string;
  /** How many members the room has. */
  readonly count: number;
  /** Cut to fewer in a large room; absent without the permission to see them. */
  readonly members?: readonly Member[];
  /** After a resume only: whether nothing is missing. */
  readonly recovered?: boolean;
  readonly reason?: UnrecoveredReason;
  /** How many kept messages follow. */
  readonly replayed?: number;
}

export type UnrecoveredReason = 'trimmed' | 'expired' | 'unknown_position' | 'history_lost' | 'unavailable';

/** Any frame of the server; which fields there are depends on `type` and `event`. */
export interface Frame {
  readonly type: string;
  readonly event?: string;
  readonly room?: string;
  readonly ref?: string;
  readonly id?: string;
  readonly from?: string;
  readonly data?: unknown;
}

/** The frame in a text message, or undefined for anything else: what is not understood is ignored. */
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

/** The fields of an object; none for anything else. */
export function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

export function numberOr(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}

/** Whether JSON text has more bytes than that on the wire. */
export function isLonger(text: string, bytes: number): boolean {
  // Nearly all are so short that nobody need count.
  if (text.length * 3 <= bytes) return false;
  return utf8Length(text) > bytes;
}

/** What an error frame says. */
export function errorOf(frame: Frame): CrosspodError {
  const { code, error, retry_after_ms: wait } = fieldsOf(frame.data);
  return new CrosspodError(
    String(code) as ErrorCode,
    String(error ?? code),
    typeof wait === 'number' ? wait : undefined,
  );
}
