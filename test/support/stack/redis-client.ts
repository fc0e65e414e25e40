import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';

/** A Redis or a Sentinel, and who asks it. */
export interface RedisAddress {
  readonly port: number;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** The file with the certificate to trust; with it the connection is TLS. */
  readonly ca?: string | undefined;
}

/** One that is frozen never answers. */
const TIMEOUT_MS = 10_000;

/**
 * Sends one command over a connection of its own, so that it does not matter what became of the server since the
 * last one. The reply is as RESP2 has it: strings, numbers, null, arrays. Throws what Redis refuses, and where
 * nobody answers.
 */
export async function sendCommand(address: RedisAddress, name: string, ...args: string[]): Promise<unknown> {
  const { port, username, password, ca } = address;
  const client = new Redis({
    host: '127.0.0.1',
    port,
    username,
    password,
    tls: ca === undefined ? undefined : { ca: readFileSync(ca) },
    protocol: 2,
    lazyConnect: true,
    // A server that is loading, or a replica that is not in sync, is asked as well.
    enableReadyCheck: false,
    disableClientInfo: true,
    retryStrategy: null,
    connectTimeout: TIMEOUT_MS,
    commandTimeout: TIMEOUT_MS,
  });
  // What is wrong is told by the command.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await client.call(name, ...args);
  } finally {
    client.disconnect();
  }
}
