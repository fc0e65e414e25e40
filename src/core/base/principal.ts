import type { Permissions } from './permissions.ts';

/** Who is connected, and what that user may do. */
export interface Principal {
  readonly userId: string;
  readonly permissions: Permissions;
  /** When the token ends, in milliseconds since 1970; undefined: never, or there is none. */
  readonly expiresAt?: number | undefined;
}
