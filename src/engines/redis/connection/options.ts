import { ANSWER_MS } from '../../shared/terms.ts';
import type { LookupFunction } from 'node:net';
import { NamedServer } from './named-server.ts';
import { QuietSentinels } from './sentinels.ts';
import type { RedisOptions } from 'ioredis';

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Where Redis is, and the credentials: one of `server`, `sentinels` and `cluster`. */
export interface RedisAddress {
  readonly server?: HostPort | undefined;
  /**
   * TLS to the server, or to the Sentinels and the servers they name. `ca` (PEM) replaces the authorities Node trusts.
   */
  readonly tls?: { readonly ca?: string | undefined } | undefined;
  readonly sentinels?: readonly HostPort[] | undefined;
  /** Some servers of a Cluster; they name the others. */
  readonly cluster?: readonly HostPort[] | undefined;
  /** The master's name among the Sentinels. */
  readonly master: string;
  readonly sentinelPassword?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly db: number;
}

/**
 * A client that reconnects by itself and queues nothing: while there is no connection commands fail at once, and
 * commands in flight are rejected when it breaks, so that each caller decides what to repeat.
 */
export function clientOptions(
  address: RedisAddress,
  connectionName: string,
  lookup: LookupFunction,
): Omit<RedisOptions, 'replyMapping'> {
  const { username, password, db } = address;
  return {
    ...whereTo(address),
    ...lookingUp(lookup),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    db,
    connectionName,
    // A user with only the needed rights is refused CLIENT SETINFO, and refusals fill the server's ACL LOG.
    disableClientInfo: true,
    lazyConnect: true,
    connectTimeout: ANSWER_MS,
    sentinelCommandTimeout: ANSWER_MS,
    disconnectTimeout: 100,
    keepAlive: 5_000,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    retryStrategy: pause,
    sentinelRetryStrategy: pause,
    sentinelReconnectStrategy: pause,
  };
}

function whereTo({ server, tls, sentinels, master, sentinelPassword }: RedisAddress): RedisOptions {
  if (sentinels !== undefined) {
    return {
      sentinels: [...sentinels],
      name: master,
      Connector: QuietSentinels,
      failoverDetector: true,
      ...(tls && { tls, sentinelTLS: tls, enableTLSForSentinelMode: true }),
      ...(sentinelPassword !== undefined && { sentinelPassword }),
    };
  }
  return { ...server, Connector: NamedServer, ...(tls && { tls }) };
}

/** ioredis does not know this option; it hands it on to the connector. */
function lookingUp(lookup: LookupFunction): object {
  return { lookup };
}

/** Between attempts, in milliseconds: short at first, and random, so that pods do not reconnect at the same moment. */
function pause(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 4), 500) * (0.5 + Math.random() / 2);
}
