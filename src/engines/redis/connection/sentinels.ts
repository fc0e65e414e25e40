import { ignored } from '../../shared/ignored.ts';
import { SentinelConnector, type SentinelConnectionOptions } from 'ioredis';
import type { LookupFunction } from 'node:net';
import { NamedServer } from './named-server.ts';

interface Options extends SentinelConnectionOptions {
  /** Looks up the names of the Sentinels, and of the master they name. */
  readonly lookup: LookupFunction;
}

/**
 * Finds the master by the Sentinels, and handles the errors that ioredis leaves unhandled. ioredis adds no error
 * listener to the connections on which it waits for failovers, and prints stack traces. When such a connection is back,
 * ioredis subscribes again without handling the promise: if the connection ends before the answer, the unhandled
 * rejection would end this process. ioredis reconnects by itself.
 */
export class QuietSentinels extends SentinelConnector {
  constructor(options: unknown) {
    super(options as Options);
    const { lookup } = options as Options;
    const connect = this['connectToSentinel'].bind(this);
    this['connectToSentinel'] = (...[endpoint, more]: Parameters<typeof connect>) => {
      const client = connect(endpoint, { ...(more as object), Connector: NamedServer, lookup });
      client.on('error', ignored);
      const subscribe = client.subscribe.bind(client);
      client.subscribe = (...channels: Parameters<typeof subscribe>) => {
        const subscribed = subscribe(...channels);
        subscribed.catch(ignored);
        return subscribed;
      };
      return client;
    };
    const resolve = this['resolve'].bind(this);
    // ioredis gives these options to the socket.
    this['resolve'] = async (...endpoint: Parameters<typeof resolve>) => {
      const master = await resolve(...endpoint);
      return master && Object.assign(master, { lookup });
    };
  }
}
