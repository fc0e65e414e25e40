import type { Principal } from './principal.ts';

/** Why a token is refused, as the protocol says it (docs/protocol.md, "Connecting"). */
export type TokenFault = 'invalid_token' | 'token_expired' | 'unavailable';

/** The same for operators, in more detail. `invalid_token`: it is not a token, or a claim has a wrong type. */
export type TokenReason =
  | TokenFault
  | 'algorithm'
  | 'audience'
  | 'issuer'
  | 'not_yet_valid'
  | 'permissions'
  | 'rooms'
  | 'signature'
  | 'unknown_key'
  | 'user_id';

export interface RefusedToken {
  /** `unavailable`: the key to check it with cannot be fetched now. */
  readonly fault: TokenFault;
  readonly reason: TokenReason;
  /** Milliseconds after which the same token may be accepted; absent if never, or unknown. */
  readonly retryAfterMs?: number;
}

/** Checks tokens. It must not throw, and must not log a token. */
export interface Authenticator {
  /** No token can be checked, because only the backend names users. It refuses every token. */
  readonly hasNoKeys?: true;
  authenticate(token: string): Promise<Principal | RefusedToken>;
}
