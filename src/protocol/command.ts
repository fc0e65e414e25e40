import type { Json } from './json.ts';
import type { MessageType } from './message.ts';
import type { Rejection } from './error-codes.ts';

/** What a member hears of a room, as bits: of its presence who comes, changes and leaves, and lists of who is there. */
export const LISTEN = { none: 0, messages: 1, presence: 2, lists: 4, all: 7 } as const;

export type Status = 'online' | 'away' | 'offline';

export interface PublishCommand {
  readonly kind: 'publish';
  readonly type: MessageType;
  /** Absent: the room of the connection's address; without one, everybody. */
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
  /** Replaces what the connection heard of the room before. */
  readonly listen: number;
  /** Whether joining makes the user present (message dialect) or only a `presence` command does (channel dialect). */
  readonly present: boolean;
  readonly lastId?: string | undefined;
  readonly history?: number | undefined;
  readonly ref?: string | undefined;
}

export interface LeaveCommand {
  readonly kind: 'leave';
  readonly room?: string | undefined;
  /** Whether leaving ends the user's presence too (message dialect). */
  readonly absent: boolean;
  readonly ref?: string | undefined;
}

export interface PresenceCommand {
  readonly kind: 'presence';
  readonly room?: string | undefined;
  /** Absent: as it was, `online` at first. */
  readonly status?: Status | undefined;
  /** A JSON object; absent: as it was. */
  readonly meta?: Json | undefined;
  /** Whether only a member may say it (message dialect). */
  readonly membersOnly: boolean;
  readonly ref?: string | undefined;
}

export interface PingCommand {
  readonly kind: 'ping';
  readonly ref?: string | undefined;
}

/** A new token for the same user, before the old one ends. */
export interface AuthCommand {
  readonly kind: 'auth';
  readonly token: string;
  readonly ref?: string | undefined;
}

/** What a client asks, in whichever dialect it asked. */
export type Command =
  | PublishCommand
  | DirectCommand
  | JoinCommand
  | LeaveCommand
  | PresenceCommand
  | PingCommand
  | AuthCommand;

/**
 * A frame as understood: a command, or why not; `ref` as far as it could be read, and `room` as the client wrote it,
 * which may be no room's name.
 */
export type Decoded =
  | { readonly command: Command }
  | {
      readonly rejection: Rejection;
      readonly ref?: string | undefined;
      readonly room?: string | undefined;
    };
