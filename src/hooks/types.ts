import type { ConnectionView } from '../core/ports/hooks.ts';
import type { ErrorCode } from '../protocol/error-codes.ts';
import type { MessageType } from '../protocol/message.ts';

/** The connection `{ id, userId, rooms }` at the moment of the call, frozen. */
export type HookConnection = ConnectionView;

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

/**
 * The exports of the module that HOOKS_MODULE names, at least one of these. Each may be async and has one second. An
 * error that is not a refusal, or a late answer, affects only this one message or connection.
 */
export interface HooksModule {
  /** Called before the handshake. Throw a refusal to refuse the connection. The return value is ignored. */
  readonly onConnect?: (connection: HookConnection) => unknown;
  /** Called once for each connection that onConnect accepted. `code` is the close code, 1006 without a close frame. */
  readonly onDisconnect?: (connection: HookConnection, how: { readonly code: number }) => unknown;
  /** Called for each message of a client, in order. The next message of the connection waits for the answer. */
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
  /** One of the protocol's error codes. */
  readonly code: ErrorCode;
  /** The text that the client receives. */
  readonly error: string;

  constructor(error: string, code: ErrorCode = 'forbidden') {
    super(error);
    this.code = code;
    this.error = error;
  }
}
