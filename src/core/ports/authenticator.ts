import type { Principal } from './principal.ts';

/** Why a token was not accepted: in the words of the protocol (docs/protocol.md, "Connecting"). */
export type TokenFault = 'invalid_token' | 'token_expired' | 'unavailable';

/** The same for the operator, more exactly; `invalid_token` is what is no token, or has a claim of a wrong kind. */
export type TokenReason =
  | TokenFault
  | 'algorithm'
  | 'audience'
  | 'issuer'
  | 'not_yet_valid'
  | 'permissions'
  | 'signature'
  | 'unknown_key'
  | 'user_id';

export interface RefusedToken {
  /** `unavailable`: the key to check it with cannot be had at present. */
  readonly fault: TokenFault;
  readonly reason: TokenReason;
  /** When the same token may be accepted; absent: never, or nobody knows. */
  readonly retryAfterMs?: number;
}

/** Checks tokens. Never throws, and never writes a token anywhere. */
export interface Authenticator {
  authenticate(token: string): Promise<Principal | RefusedToken>;
}
