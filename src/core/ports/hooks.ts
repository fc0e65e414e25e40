import type { Json } from '../../protocol/json.ts';
import type { MessageType } from '../../protocol/message.ts';
import type { Rejection } from '../../protocol/error-codes.ts';

/** A connection as hooks see it: at the moment of the call, and not to be changed by them. */
export interface ConnectionView {
  readonly id: string;
  readonly userId: string;
  /** Names of the rooms it is in; none before it is open. */
  readonly rooms: readonly string[];
}

/** What hooks may replace in a message. */
export interface Content {
  readonly type: MessageType;
  readonly event?: string | undefined;
  readonly data: Json;
}

/** A message that a client asks to publish, understood and permitted but published nowhere yet. */
export interface Submission extends Content {
  /** Absent in a global or direct message. */
  readonly room?: string | undefined;
  /** The addressee of a direct message: a user id or `conn:<id>`. */
  readonly to?: string | undefined;
  /** No history will keep it. */
  readonly ephemeral: boolean;
}

/** What becomes of a submission. */
export type HookDecision =
  | { readonly kind: 'publish'; readonly content: Content }
  /** Nobody is told; a `ref` is acked without an `id`. */
  | { readonly kind: 'suppress' }
  | { readonly kind: 'refuse'; readonly rejection: Rejection };

/** How often hooks did what, since the start. */
export interface HookFigures {
  replaced: number;
  suppressed: number;
  /** Refusals, by hook. */
  readonly refused: Map<string, number>;
  /** Throws, wrong answers and answers that did not come in time, by hook. */
  readonly failed: Map<string, number>;
}

/**
 * What the operator's own code has to say. Absent where there is none, so that nobody pays for what nobody uses.
 *
 * Order of calls for each connection: `connecting` once, before the handshake; if it gives nothing, `publishing` for
 * one message after the other, each once the last one's verdict is there; `disconnected` once at the end, also where
 * the handshake failed. Nothing here throws or rejects, and everything answers within the hooks' time limit.
 */
export interface Hooks {
  readonly figures: HookFigures;
  /**
   * Whether the connection may come: nothing, or why not. A hook that failed gives `internal`. `rooms` is empty, also
   * where the address names one.
   */
  connecting(who: ConnectionView): Promise<Rejection | undefined>;
  /**
   * Asked for what clients publish over their sockets; what comes over the HTTP API is the operator's own and is not
   * asked for. Answers at once where the hook does, so that such a hook keeps nobody waiting. Undefined: publish all.
   */
  readonly publishing:
    | ((who: ConnectionView, what: Submission) => HookDecision | Promise<HookDecision>)
    | undefined;
  /** The connection is gone: the rooms it was in, and the close code, 1006 without one. Nobody waits for the hook. */
  disconnected(who: ConnectionView, code: number): void;
}
