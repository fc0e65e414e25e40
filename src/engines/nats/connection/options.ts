import { type ConnectionOptions, credsAuthenticator, type TlsOptions } from '@nats-io/transport-node';
import { ANSWER_MS } from '../../shared/terms.ts';

/** Where NATS is and who comes. */
export interface NatsAddress {
  /** `host:port` of servers of one cluster; any of them will do. */
  readonly servers: readonly string[];
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** What is in a `.creds` file. */
  readonly credentials?: string | undefined;
  /** TLS is needed; `ca`, PEM, in place of the authorities Node knows. */
  readonly tls?: { readonly ca?: string | undefined } | undefined;
}

/** A connection on which nothing else is asked is looked at so often; the second look that is not answered ends it. */
const PING_MS = 1_000;

/**
 * For a connection that is made anew when it breaks, and not by the library: that would keep what is published
 * meanwhile and send it later, when others have long been told something else.
 */
export function connectionOptions(address: NatsAddress, server: string, name: string): ConnectionOptions {
  const { user, password, credentials, tls } = address;
  return {
    servers: [server],
    name,
    ...(user !== undefined && { user }),
    ...(password !== undefined && { pass: password }),
    ...(credentials !== undefined && {
      // The library wants each line to end, and in nothing but \n; `nsc` and nats-server do not.
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

/** The library gives them to Node, which has to know the host where that is an address: it looks for it in the certificate. */
function tlsOptions(server: string, ca: string | undefined): TlsOptions & { host: string } {
  const host = server.slice(0, server.lastIndexOf(':')).replaceAll(/[[\]]/g, '');
  return ca === undefined ? { host } : { host, ca };
}

/** Between attempts, in milliseconds: soon at first, and not all pods at the same moment. */
export function retryMs(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 4), 500) * (0.5 + Math.random() / 2);
}
