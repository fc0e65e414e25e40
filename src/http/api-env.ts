import type { TrustedProxies } from '../core/base/trusted-proxies.ts';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Origins } from '../core/base/origins.ts';
import type { Pod } from '../core/commands/pod.ts';

/** What the API needs of whatever lets guests in. */
export interface GuestIssuer {
  /** Undefined for a name that cannot be a user id. `expiresAt` in milliseconds since 1970; token null: none is needed. */
  login(
    username: string,
  ): Promise<
    { readonly token: string | null; readonly userId: string; readonly expiresAt: number } | undefined
  >;
}

export interface ApiOptions {
  /** With `pod.authenticator` tokens open the API; without it, and without `apiKeys`, it is open to everybody. */
  readonly pod: Pod;
  /** Which pages may read the answers (CORS). */
  readonly origins: Origins;
  readonly apiKeys: readonly string[];
  /** Absent: guest login is switched off and answers 404. */
  readonly guest?: GuestIssuer | undefined;
  /** The largest body of a request that publishes one message (MAX_MESSAGE_BYTES). */
  readonly maxBodyBytes: number;
  /** For each API key, user or client address, with a burst of twice as many. */
  readonly requestsPerSecond: number;
  /** Whose word counts for the client's address (see client-address.ts). */
  readonly trustProxy: TrustedProxies;
}

/** Who asks: the name of an API key or a token's user; undefined where nobody has to say who it is. */
export interface Caller {
  readonly name: string | undefined;
}

export interface ApiEnv {
  Variables: { caller: Caller };
  Bindings: {
    /** Node's request, where there is one; a request made in the process itself has none. */
    incoming?: { readonly socket: { readonly remoteAddress?: string | undefined } };
  };
}

export type Api = OpenAPIHono<ApiEnv>;
