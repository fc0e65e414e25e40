import type { Json } from '../../protocol/json.ts';
import type { MessageType } from '../../protocol/message.ts';
import type { Permissions } from './principal.ts';
import type { Rejection } from '../../protocol/error-codes.ts';
import type { RoomRule } from './room-rules.ts';

/** What a client showed when it connected. All of it may be secret: nothing of it may be logged or traced. */
export interface Evidence {
  /** The claims of its token; null without one. */
  readonly claims: Readonly<Record<string, unknown>> | null;
  /** The headers of its request that the operator has passed on, by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** Its address. */
  readonly remote: string;
}

/** A connection as hooks see it, at the moment of the call. Hooks must not change it. */
export interface ConnectionView {
  /** Null if the user sent an HTTP request with a token instead. */
  readonly id: string | null;
  /** Null before anything has named the user. */
  readonly userId: string | null;
  /** Names of its rooms; empty before the connection is open. */
  readonly rooms: readonly string[];
  /** Undefined if no hook reads it (see `Hooks.passedHeaders`). */
  readonly evidence?: Evidence | undefined;
}

/**
 * Why a client's identity is asked for: it connects, it sends an HTTP request with its own token, it asks how a
 * connection would be refused, or it has sent a new token.
 */
export type Occasion = 'connect' | 'http' | 'explain' | 'auth';

/** A client that wants to connect, or one that has sent a new token. */
export interface Arrival {
  readonly occasion: Occasion;
  readonly id: string | null;
  /** Null if nothing has named the user yet; only where `Hooks.identifies`. */
  readonly userId: string | null;
  /** The room in the address. */
  readonly room?: string | undefined;
  readonly evidence?: Evidence | undefined;
}

/** What replaces the identity that the client showed; absent fields replace nothing. */
export interface Grant {
  /** Equal to the user of the token, if there is one. */
  readonly userId?: string | undefined;
  readonly permissions?: Permissions | undefined;
  /** Rooms that the connection joins at once. */
  readonly rooms?: readonly string[] | undefined;
  /** Milliseconds since 1970. */
  readonly expiresAt?: number | undefined;
  /** For the client. */
  readonly data?: Json | undefined;
}

/** A refusal. The codes of a `hook` select the HTTP status of a refused request; that of a `backend` is always 403. */
export interface Refusal {
  readonly kind: 'refuse';
  readonly by: 'hook' | 'backend';
  readonly rejection: Rejection;
}

/** Nobody decided: the backend cannot be asked now, or its answer was faulty. */
export interface Undecided {
  readonly kind: 'failed';
}

export type ArrivalDecision = { readonly kind: 'allow'; readonly grant: Grant } | Refusal | Undecided;

/** What comes with the permission to join. */
export interface JoinGrant {
  /** For the client. */
  readonly data?: Json | undefined;
  /** The first `meta` of the user's presence: a JSON object. */
  readonly meta?: Json | undefined;
}

export type JoinDecision = { readonly kind: 'allow'; readonly grant: JoinGrant } | Refusal | Undecided;

export type CallDecision =
  | { readonly kind: 'result'; readonly data: Json }
  /** No hook knows the method. */
  | { readonly kind: 'unknown' }
  | Refusal
  | Undecided;

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

/**
 * What the operator decides: by code in this process, by a backend that is asked over HTTP, or by both in this order
 * (hook-chain.ts). A pod without either has no such object, so that it costs nothing there; neither do questions whose
 * function is undefined.
 *
 * The pod calls for each connection: `connecting` before the handshake; if that allows it, `joining`, `publishing` and
 * `calling`, each after the answer to the question before; `left` when the connection leaves a room that it joined;
 * `disconnected` once at the end, even if the handshake failed. No method throws or rejects, and each answers in bounded
 * time. What answers synchronously makes no command wait.
 */
export interface Hooks {
  /** Whether `connecting` may name the user and the permissions. */
  readonly identifies: boolean;
  /** The headers of a client's request that become its `Evidence`, in lower case. Undefined: no evidence is kept. */
  readonly passedHeaders: readonly string[] | undefined;
  connecting(arrival: Arrival): Promise<ArrivalDecision>;
  /** Decides about joins of clients; not about rooms that the server gives. Undefined: permissions alone decide. */
  readonly joining:
    | ((who: ConnectionView, room: string, rule: RoomRule) => JoinDecision | Promise<JoinDecision>)
    | undefined;
  /**
   * Decides about what clients publish; not about the messages of an API key, which belong to the operator. `rule` is
   * that of the room. Undefined: everything is published.
   */
  readonly publishing:
    | ((
        who: ConnectionView,
        what: Submission,
        rule: RoomRule | undefined,
      ) => HookDecision | Promise<HookDecision>)
    | undefined;
  /** Whether a message that was published under its `ref` already is not asked about again. */
  readonly decidesOnce: boolean;
  /** Answers a client's `call`; `data` is what it sent. Undefined: clients cannot call. */
  readonly calling: ((who: ConnectionView, method: string, data: Json) => Promise<CallDecision>) | undefined;
  /** The connection has left a room, or is gone. The pod does not wait. Undefined: nobody wants to know. */
  readonly left: ((who: ConnectionView, room: string, rule: RoomRule) => void) | undefined;
  /** The connection is gone; `code` is its close code, or 1006 without one. The pod does not wait for the hook. */
  disconnected(who: ConnectionView, code: number): void;
}
