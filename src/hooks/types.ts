import type { ConnectionView } from '../core/ports/hooks.ts';
import type { ErrorCode } from '../protocol/error-codes.ts';
import type { MessageType } from '../protocol/message.ts';

/** Who does it: `{ id, userId, rooms }`, frozen, as of the moment of the call. */
export type HookConnection = ConnectionView;

/** What a client wants to publish. A copy: changes count only if they are returned. */
export interface HookMessage {
  type: MessageType;
  event?: string | undefined;
  /** Any JSON, parsed. */
  data: unknown;
  /** Absent in a message to everybody and in a direct one. */
  readonly room?: string | undefined;
  /** The addressee of a direct message: a user id or `conn:<id>`. */
  readonly to?: string | undefined;
  /** No history will keep it. */
  readonly ephemeral: boolean;
}

/**
 * The message as it shall be published: what is absent stays as it was, `event: null` takes the event away. `room`,
 * `to` and `ephemeral` may stand there but not differ, so that `{ ...message, data }` does; anything else is a mistake.
 */
export type HookReplacement = Partial<Omit<HookMessage, 'event'>> & { event?: string | null | undefined };

/** Nothing: publish it as it is. `null`: nobody gets it, and its sender is not told. */
export type HookAnswer = undefined | null | HookReplacement;

/**
 * What the module that HOOKS_MODULE names may export, at least one of these. Each may be async and has one second;
 * what they throw other than a refusal, and any later answer, harms this one message or connection only.
 */
export interface HooksModule {
  /** Before the handshake; throw a refusal to turn the connection away. What it returns is ignored. */
  readonly onConnect?: (connection: HookConnection) => unknown;
  /** Once for each connection that onConnect let in; `code` is that of the close, 1006 without one. */
  readonly onDisconnect?: (connection: HookConnection, how: { readonly code: number }) => unknown;
  /** For each message a client publishes, in the order of the connection; the next one waits for the answer. */
  onMessage?(
    connection: HookConnection,
    message: HookMessage,
  ): HookAnswer | void | Promise<HookAnswer | void>;
}

/**
 * Thrown by a hook: the sender gets this error, everybody else nothing. Any object with the same two fields does as
 * well, so that a module need not import this file.
 */
export class Refusal extends Error {
  /** One of the protocol's error codes. */
  readonly code: ErrorCode;
  /** For the person at the other end. */
  readonly error: string;

  constructor(error: string, code: ErrorCode = 'forbidden') {
    super(error);
    this.code = code;
    this.error = error;
  }
}
