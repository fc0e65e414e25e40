import type { Json } from '../../protocol/json.ts';
import type { MessageType } from '../../protocol/message.ts';
import type { Rejection } from '../../protocol/error-codes.ts';

/** A connection as hooks see it, at the moment of the call. Hooks must not change it. */
export interface ConnectionView {
  readonly id: string;
  readonly userId: string;
  /** Names of its rooms; empty before the connection is open. */
  readonly rooms: readonly string[];
}

/** What hooks may replace in a message. */
export interface Content {
  readonly type: MessageType;
  readonly event?: string | undefined;
  readonly data: Json;
}

/** A message that a client may publish, and that is not published yet. */
export interface Submission extends Content {
  /** Absent in a global or direct message. */
  readonly room?: string | undefined;
  /** The recipient of a direct message: a user id or `conn:<id>`. */
  readonly to?: string | undefined;
  /** No history will store it. */
  readonly ephemeral: boolean;
}

/** What hooks decide about a submission. */
export type HookDecision =
  | { readonly kind: 'publish'; readonly content: Content }
  /** No client receives the message; a `ref` is acknowledged without an `id`. */
  | { readonly kind: 'suppress' }
  | { readonly kind: 'refuse'; readonly rejection: Rejection };

/** What hooks did since the start. */
export interface HookFigures {
  replaced: number;
  suppressed: number;
  /** Refusals, by hook. */
  readonly refused: Map<string, number>;
  /** Exceptions, invalid answers and answers that came too late, by hook. */
  readonly failed: Map<string, number>;
}

/**
 * The operator's own code. A pod without hooks has no such object, so that hooks cost nothing there.
 *
 * The pod calls for each connection: `connecting` once, before the handshake; if that resolves with undefined,
 * `publishing` for each message, after the decision about the one before; `disconnected` once at the end, even if the
 * handshake failed. No method throws or rejects, and each answers within the time limit of hooks.
 */
export interface Hooks {
  readonly figures: HookFigures;
  /**
   * Resolves with undefined if the client may connect, else with the reason why not; `internal` if the hook failed.
   * `rooms` is empty, even if the address names a room.
   */
  connecting(who: ConnectionView): Promise<Rejection | undefined>;
  /**
   * Decides about what clients publish over sockets; not about the HTTP API, which belongs to the operator. A hook that
   * answers synchronously is answered synchronously, so that no command waits. Undefined: everything is published.
   */
  readonly publishing:
    | ((who: ConnectionView, what: Submission) => HookDecision | Promise<HookDecision>)
    | undefined;
  /** The connection is gone; `code` is its close code, or 1006 without one. The pod does not wait for the hook. */
  disconnected(who: ConnectionView, code: number): void;
}
