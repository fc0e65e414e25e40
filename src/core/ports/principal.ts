import type { Action } from '../../protocol/rule.ts';

/** What a user may do, and where. */
export interface Permissions {
  /** `name` is a room, `@global` or `@direct`. */
  allow(action: Action, name: string, userId: string): boolean;
  /** Whether the user may call the HTTP API. */
  readonly allowApi: boolean;
}

/** The user of a connection, and what that user may do. */
export interface Principal {
  readonly userId: string;
  readonly permissions: Permissions;
  /** The rooms that the token gives its user (JWT_ROOMS_CLAIM), each once; absent without such a claim. */
  readonly rooms?: readonly string[] | undefined;
  /** When the token expires, in milliseconds since 1970; undefined if it never expires or there is no token. */
  readonly expiresAt?: number | undefined;
  /** `jti` of the token. */
  readonly tokenId?: string | undefined;
  /** `iat` of the token, in milliseconds since 1970. */
  readonly issuedAt?: number | undefined;
  /** Undefined if there is no token. */
  readonly hasToken?: boolean | undefined;
  /** The claims of the token, if the backend reads them. Never logged. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
}
