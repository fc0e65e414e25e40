import type { Principal } from '../principal.ts';

/** Why a token was not accepted: in the words of the protocol (docs/protocol.md, "Connecting"). */
export type TokenFault = 'invalid_token' | 'token_expired' | 'unavailable';

/** Checks tokens. Never throws, and never writes a token anywhere. */
export interface Authenticator {
  /** `unavailable`: the keys to check it with cannot be had at present. */
  authenticate(token: string): Promise<Principal | { readonly fault: TokenFault }>;
}
