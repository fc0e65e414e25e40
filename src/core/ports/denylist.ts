/** So many blocks and revocations at most. */
export const MOST_DENIALS = 100_000;

/** A user who is refused. Times are in milliseconds since 1970, by the engine's clock. */
export interface Block {
  readonly kind: 'block';
  readonly userId: string;
  readonly until: number;
  readonly since: number;
  readonly reason?: string | undefined;
}

/** Tokens that are refused: one by its `jti`, or those that a user was given before a moment. */
export type Revocation =
  | { readonly kind: 'token'; readonly jti: string; readonly until: number }
  | {
      readonly kind: 'tokens';
      readonly userId: string;
      readonly issuedBefore: number;
      readonly until: number;
    };

export type Denial = Block | Revocation;

/** What a token says of itself. */
export interface Issued {
  readonly userId: string;
  readonly jti?: string | undefined;
  /** Milliseconds since 1970. */
  readonly issuedAt?: number | undefined;
}

/**
 * The users and tokens that no pod accepts. Every pod holds the whole list, so a look-up is synchronous. A pod that
 * reaches its engine knows a change within two seconds, and writes back what the engine lost, but never what was
 * removed. A pod that does not reach it goes on with the list that it has.
 *
 * The pod calls `start` once, then any method, then `stop` once.
 */
export interface Denylist {
  /** Entries in force, as far as this pod knows. */
  readonly size: number;
  /** Milliseconds since 1970 by the engine's clock. */
  now(): number;
  /** `denied` is called for each entry that comes into force. It must not throw. */
  start(denied: (denial: Denial) => void): void;
  /** Resolves once the list is up to date, or the engine cannot be reached. */
  refreshed(): Promise<void>;
  blockOf(userId: string): Block | undefined;
  isRevoked(token: Issued): boolean;
  /** Adds an entry, or replaces the one of the same user or token. False: the list is full. Raises `unavailable`. */
  add(denial: Denial): Promise<boolean>;
  /** Removes the block of a user, if there is one. Raises `unavailable`. */
  unblock(userId: string): Promise<void>;
  /** Blocks of users whose ids sort after `after`, sorted by id. */
  blocks(after: string, limit: number): readonly Block[];
  stop(): void;
}
