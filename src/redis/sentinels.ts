import { ignored } from '../pods/away.ts';
import { SentinelConnector, type SentinelConnectionOptions } from 'ioredis';

/**
 * Finds the master by the Sentinels, and makes no fuss while one of them is away. ioredis gives the connections on which
 * it waits for failovers no listener for errors, and prints stack traces; and when such a connection is back it listens
 * again without waiting for the answer: where the connection ends before that, nobody takes the rejection, which would
 * end this pod. They are tried again by themselves.
 */
export class QuietSentinels extends SentinelConnector {
  constructor(options: unknown) {
    super(options as SentinelConnectionOptions);
    const connect = this['connectToSentinel'].bind(this);
    this['connectToSentinel'] = (...where: Parameters<typeof connect>) => {
      const client = connect(...where);
      client.on('error', ignored);
      const subscribe = client.subscribe.bind(client);
      client.subscribe = (...channels: Parameters<typeof subscribe>) => {
        const subscribed = subscribe(...channels);
        subscribed.catch(ignored);
        return subscribed;
      };
      return client;
    };
  }
}
