import { type ConnectionOptions, credsAuthenticator, type TlsOptions } from '@nats-io/transport-node';
import { ANSWER_MS } from '../../shared/terms.ts';

/** Where NATS is, and how this pod logs in. */
export interface NatsAddress {
  /** `host:port` of servers of one cluster. The pod connects to any one of them. */
  readonly servers: readonly string[];
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** The text of a `.creds` file. */
  readonly credentials?: string | undefined;
  /** Set: TLS is required. `ca` (PEM) replaces Node's certificate authorities. */
  readonly tls?: { readonly ca?: string | undefined } | undefined;
}

/** An idle connection is pinged so often; it ends after the second ping without an answer. */
const PING_MS = 1_000;

/**
 * The link reconnects, not the library. The library would buffer publications while it reconnects and send them later,
 * after other pods were told something else.
 */
export function connectionOptions(address: NatsAddress, server: string, name: string): ConnectionOptions {
  const { user, password, credentials, tls } = address;
  return {
    servers: [server],
    name,
    ...(user !== undefined && { user }),
    ...(password !== undefined && { pass: password }),
    ...(credentials !== undefined && {
      // The library needs a \n at the end of each line, the last too, and no \r. `nsc` and nats-server accept both.
      authenticator: credsAuthenticator(new TextEncoder().encode(`${credentials.replaceAll('\r', '')}\n`)),
    }),
    ...(tls !== undefined && { tls: tlsOptions(server, tls.ca) }),
    reconnect: false,
    timeout: ANSWER_MS,
    pingInterval: PING_MS,
    maxPingOut: 2,
    ignoreClusterUpdates: true,
    noAsyncTraces: true,
  };
}

/** Node checks the host against the certificate; the library does not pass it on if it is an address. */
function tlsOptions(server: string, ca: string | undefined): TlsOptions & { host: string } {
  const host = server.slice(0, server.lastIndexOf(':')).replaceAll(/[[\]]/g, '');
  return ca === undefined ? { host } : { host, ca };
}

/** The pause before an attempt, in milliseconds: exponential, with jitter so that pods do not come all at once. */
export function retryMs(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 4), 500) * (0.5 + Math.random() / 2);
}
