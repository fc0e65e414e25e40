import { clientOptions, type HostPort, type RedisAddress } from './options.ts';
import { ANSWER_MS } from '../../shared/terms.ts';
import type { Clock } from '../../../core/ports/clock.ts';
import { ignored } from '../../shared/ignored.ts';
import { Redis } from 'ioredis';
import { SlotMap } from './slots.ts';

/** Asks a server by a connection of its own who has which slots. Raises an error that says what is wrong. */
export async function askForSlots(
  server: HostPort,
  address: RedisAddress,
  connectionName: string,
  clock: Clock,
): Promise<SlotMap> {
  const client = new Redis({
    ...clientOptions({ ...address, cluster: undefined, server }, connectionName, clock),
    // One command is asked, after those that open the connection.
    socketTimeout: ANSWER_MS,
    retryStrategy: () => null,
  });
  let reason: Error | undefined;
  client.on('error', (error: Error) => (reason = error));
  try {
    await client.connect();
    return SlotMap.of(await client.cluster('SLOTS'), server);
  } catch (error) {
    // ioredis only says that the connection was closed.
    throw reason ?? error;
  } finally {
    client.disconnect();
    client.on('error', ignored);
  }
}
