import type { RedisOptions } from 'ioredis';
import type { Clock } from '../../../core/ports/clock.ts';
import { lastKnown } from './last-known.ts';
import { NamedServer } from './named-server.ts';
import { QuietSentinels } from './sentinels.ts';
import { ANSWER_MS } from '../../shared/terms.ts';

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Where Redis is and who comes: one of `server`, `sentinels` and `cluster`. */
export interface RedisAddress {
  readonly server?: HostPort | undefined;
  /** TLS to the server, or to the Sentinels and whatever they name; `ca`, PEM, in place of the authorities Node knows. */
  readonly tls?: { readonly ca?: string | undefined } | undefined;
  readonly sentinels?: readonly HostPort[] | undefined;
  /** Some servers of a Cluster, which know the others. */
  readonly cluster?: readonly HostPort[] | undefined;
  /** What the Sentinels call the master. */
  readonly master: string;
  readonly sentinelPassword?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly db: number;
}

/**
 * A client that comes back by itself and keeps nothing while it is away: whoever asks then is told at once, and what
 * was under way when a connection broke is rejected, so that each caller decides what to repeat.
 */
export function clientOptions(
  address: RedisAddress,
  connectionName: string,
  clock: Clock,
): Omit<RedisOptions, 'replyMapping'> {
  const { username, password, db } = address;
  return {
    ...whereTo(address),
    ...lookingUp(clock),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    db,
    connectionName,
    // A user with no more rights than needed is refused it, and what is refused fills the server's ACL LOG.
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

/** ioredis knows nothing of it, and hands it on to the connector. */
function lookingUp(clock: Clock): object {
  return { lookup: lastKnown(clock) };
}

/** Between attempts, in milliseconds: soon at first, and not all pods at the same moment. */
function pause(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 4), 500) * (0.5 + Math.random() / 2);
}
