import type { Json } from './json.ts';
import type { MessageType } from './message.ts';
import type { Rejection } from './error-codes.ts';

/** What a member receives from a room, as bits. `presence`: joins, changes and leaves. `lists`: lists of members. */
export const LISTEN = { none: 0, messages: 1, presence: 2, lists: 4, all: 7 } as const;

export type Status = 'online' | 'away' | 'offline';

export interface PublishCommand {
  readonly kind: 'publish';
  readonly type: MessageType;
  /** Absent: the room of the connection's address, or without one everybody. */
  readonly room?: string | undefined;
  readonly event?: string | undefined;
  readonly data: Json;
  readonly ephemeral: boolean;
  readonly ref?: string | undefined;
}

export interface DirectCommand {
  readonly kind: 'direct';
  readonly type: MessageType;
  /** A user id or `conn:<id>`. */
  readonly to: string;
  readonly event?: string | undefined;
  readonly data: Json;
  readonly ref?: string | undefined;
}

/** A command that publishes a message. */
export type PublishingCommand = PublishCommand | DirectCommand;

export interface JoinCommand {
  readonly kind: 'join';
  readonly room?: string | undefined;
  /** `LISTEN` bits; they replace the previous ones of this connection. */
  readonly listen: number;
  /** Whether the join makes the user present (message dialect), or only a `presence` command does (channel dialect). */
  readonly present: boolean;
  readonly lastId?: string | undefined;
  readonly history?: number | undefined;
  readonly ref?: string | undefined;
}

export interface LeaveCommand {
  readonly kind: 'leave';
  readonly room?: string | undefined;
  /** Whether the leave also ends the user's presence (message dialect). */
  readonly absent: boolean;
  readonly ref?: string | undefined;
}

export interface PresenceCommand {
  readonly kind: 'presence';
  readonly room?: string | undefined;
  /** Absent: unchanged; at first `online`. */
  readonly status?: Status | undefined;
  /** A JSON object. Absent: unchanged. */
  readonly meta?: Json | undefined;
  /** Whether the command needs a membership (message dialect). */
  readonly membersOnly: boolean;
  readonly ref?: string | undefined;
}

export interface PingCommand {
  readonly kind: 'ping';
  readonly ref?: string | undefined;
}

/** Replaces the token by another one of the same user. */
export interface AuthCommand {
  readonly kind: 'auth';
  readonly token: string;
  readonly ref?: string | undefined;
}

/** Asks the application something. */
export interface CallCommand {
  readonly kind: 'call';
  /** Undefined if the frame names none. */
  readonly method: string | undefined;
  readonly data: Json;
  readonly ref?: string | undefined;
}

/** A decoded frame of a client, independent of the dialect. */
export type Command =
  | PublishCommand
  | DirectCommand
  | JoinCommand
  | LeaveCommand
  | PresenceCommand
  | PingCommand
  | AuthCommand
  | CallCommand;

/** A command, or why the frame is not one, with its `ref` if valid, and the `room` as sent, which may be invalid. */
export type Decoded =
  | { readonly command: Command }
  | {
      readonly rejection: Rejection;
      readonly ref?: string | undefined;
      readonly room?: string | undefined;
    };
