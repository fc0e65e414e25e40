import type { TrustedProxies } from '../core/base/trusted-proxies.ts';
import type { HttpUser } from '../core/commands/http-user.ts';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Origins } from '../core/base/origins.ts';
import type { Pod } from '../core/commands/pod.ts';

/** Issues identities to guests. */
export interface GuestIssuer {
  /**
   * Undefined if the name cannot be a user id. `expiresAt` is in milliseconds since 1970; `token` is null if clients
   * need none.
   */
  login(
    username: string,
  ): Promise<
    { readonly token: string | null; readonly userId: string; readonly expiresAt: number } | undefined
  >;
}

export interface ApiOptions {
  /** Without `pod.authenticator` and `apiKeys`, the API is open to everybody. */
  readonly pod: Pod;
  /** Whether users may publish and read with their own tokens (CLIENT_HTTP). */
  readonly clientHttp: boolean;
  /** The origins of pages that may read the answers (CORS). */
  readonly origins: Origins;
  readonly apiKeys: readonly string[];
  /** Absent: guest login answers 404. */
  readonly guest?: GuestIssuer | undefined;
  /** The largest body of a request that publishes one message (MAX_MESSAGE_BYTES). */
  readonly maxBodyBytes: number;
  /** The limit per API key, user or client address, with a burst of twice as many. */
  readonly requestsPerSecond: number;
  /** The proxies whose `X-Forwarded-For` counts (see client-address.ts). */
  readonly trustProxy: TrustedProxies;
}

/** The caller: an API key or the user of a token. `name` is undefined while the API is open to everybody. */
export interface Caller {
  readonly name: string | undefined;
  /** Undefined for an API key, and while the API is open to everybody and the request names no user. */
  readonly user?: HttpUser | undefined;
}

export interface ApiEnv {
  Variables: { caller: Caller };
  Bindings: {
    /** Node's request. A request made within the process has none. */
    incoming?: { readonly socket: { readonly remoteAddress?: string | undefined } };
  };
}

export type Api = OpenAPIHono<ApiEnv>;
