import { ignored } from '../../shared/ignored.ts';
import { SentinelConnector, type SentinelConnectionOptions } from 'ioredis';
import type { LookupFunction } from 'node:net';
import { NamedServer } from './named-server.ts';

interface Options extends SentinelConnectionOptions {
  /** How the names of Sentinels, and of the master they name, are looked up. */
  readonly lookup: LookupFunction;
}

/**
 * Finds the master by the Sentinels, and makes no fuss while one of them is away. ioredis gives the connections on which
 * it waits for failovers no listener for errors, and prints stack traces; and when such a connection is back it listens
 * again without waiting for the answer: where the connection ends before that, nobody takes the rejection, which would
 * end this pod. They are tried again by themselves.
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
    // It is all given to the socket.
    this['resolve'] = async (...endpoint: Parameters<typeof resolve>) => {
      const master = await resolve(...endpoint);
      return master && Object.assign(master, { lookup });
    };
  }
}
