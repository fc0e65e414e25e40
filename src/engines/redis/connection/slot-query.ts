import { clientOptions, type HostPort, type RedisAddress } from './options.ts';
import { ANSWER_MS } from '../../shared/terms.ts';
import { ignored } from '../../shared/ignored.ts';
import type { LookupFunction } from 'node:net';
import { Redis } from 'ioredis';

export interface SlotQueryOptions {
  readonly address: RedisAddress;
  readonly connectionName: string;
  readonly lookup: LookupFunction;
}

/** Asks a server CLUSTER SLOTS, over a connection of its own. Raises an error that says what is wrong. */
export async function askForSlots(
  server: HostPort,
  { address, connectionName, lookup }: SlotQueryOptions,
): Promise<unknown> {
  const client = new Redis({
    ...clientOptions({ ...address, cluster: undefined, server }, connectionName, lookup),
    // Nothing else is sent, so that a silent socket means a missing answer.
    socketTimeout: ANSWER_MS,
    retryStrategy: () => null,
  });
  let reason: Error | undefined;
  client.on('error', (error: Error) => (reason = error));
  try {
    await client.connect();
    return await client.cluster('SLOTS');
  } catch (error) {
    // ioredis itself only says that the connection was closed.
    throw reason ?? error;
  } finally {
    client.disconnect();
    client.on('error', ignored);
  }
}
