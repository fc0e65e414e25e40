import type { MessageType } from '../protocol/message.ts';

/** The connection at the moment of the call, frozen. */
export interface HookConnection {
  /** Null if the user sent an HTTP request with a token instead. */
  readonly id: string | null;
  readonly userId: string;
  /** Names of its rooms; empty before the connection is open. */
  readonly rooms: readonly string[];
}

/** A connection before the handshake. */
export interface HookArrival extends Omit<HookConnection, 'userId'> {
  /** Null if nothing has named the user yet: only where a backend may name users. */
  readonly userId: string | null;
}

/** The exports that are hooks. */
export const HOOK_NAMES = ['onConnect', 'onDisconnect', 'onJoin', 'onMessage', 'onCall'] as const;

/** The message that a client wants to publish. It is a copy: changes count only if the hook returns them. */
export interface HookMessage {
  type: MessageType;
  event?: string | undefined;
  /** Any JSON value, parsed. */
  data: unknown;
  /** Absent in a message to everybody and in a direct one. */
  readonly room?: string | undefined;
  /** The addressee of a direct message: a user id or `conn:<id>`. */
  readonly to?: string | undefined;
  /** The history will not store the message. */
  readonly ephemeral: boolean;
}

/**
 * The message to publish instead. Absent fields stay unchanged; `event: null` removes the event. `room`, `to` and
 * `ephemeral` may be present but must not differ, so that `{ ...message, data }` works. Any other field is an error.
 */
export type HookReplacement = Partial<Omit<HookMessage, 'event'>> & { event?: string | null | undefined };

/**
 * Undefined: publish unchanged. `null`: suppress the message; no client receives it, and its publisher gets no error.
 */
export type HookAnswer = undefined | null | HookReplacement;

/** A refusal; without `code` it is `forbidden`. */
export interface RefusingAnswer {
  readonly allow: false;
  /** 1 to 64 of a-z 0-9 _. */
  readonly code?: string | undefined;
  /** The text that the client receives. */
  readonly error?: string | undefined;
}

/** Undefined: no objection. */
export type JoinAnswer =
  | undefined
  | ({
      /** This answer holds for so long for this user and room. */
      readonly ttl_seconds?: number | undefined;
    } & (
      | RefusingAnswer
      | {
          readonly allow: true;
          /** For the client: in `joined`. */
          readonly data?: unknown;
          /** The first `meta` of the user's presence. */
          readonly meta?: object | undefined;
        }
    ));

/** Undefined or null: the method is unknown. */
export type CallAnswer =
  | undefined
  | null
  | RefusingAnswer
  | { readonly allow: true; readonly data?: unknown };

/**
 * The exports of the module that HOOKS_MODULE names, at least one of these. Each may be async and has one second. An
 * error that is not a refusal, or a late answer, affects only this one message or connection.
 */
export interface HooksModule {
  /** Called before the handshake. Throw a refusal to refuse the connection. The return value is ignored. */
  readonly onConnect?: (connection: HookArrival) => unknown;
  /** Called once for each connection that onConnect accepted. `code` is the close code, 1006 without a close frame. */
  readonly onDisconnect?: (connection: HookArrival, how: { readonly code: number }) => unknown;
  /** Called for each join of a client whose permissions allow it. Answer or throw a refusal to reject it. */
  onJoin?(connection: HookConnection, join: { readonly room: string }): JoinAnswer | Promise<JoinAnswer>;
  /** Called for each `call` of a client. The next command of the connection waits for the answer. */
  onCall?(
    connection: HookConnection,
    call: { readonly method: string; readonly data: unknown },
  ): CallAnswer | Promise<CallAnswer>;
  /** Called for each message of a client, in order. The next command of the connection waits for the answer. */
  onMessage?(
    connection: HookConnection,
    message: HookMessage,
  ): HookAnswer | void | Promise<HookAnswer | void>;
}

/**
 * A hook throws this to refuse a connection or reject a message; only that client receives the error. Any object with
 * the same two fields works too, so a module need not import this file.
 */
export class Refusal extends Error {
  /** One of the protocol's error codes, or one of your own: 1 to 64 of a-z 0-9 _. */
  readonly code: string;
  /** The text that the client receives. */
  readonly error: string;

  constructor(error: string, code = 'forbidden') {
    super(error);
    this.code = code;
    this.error = error;
  }
}
