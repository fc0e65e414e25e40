import { SentinelConnector, type SentinelConnectionOptions } from 'ioredis';

/**
 * Finds the master by the Sentinels, and does not print stack traces while one of them is away: ioredis gives the
 * connections on which it waits for failovers no listener for errors. They are tried again by themselves.
 */
export class QuietSentinels extends SentinelConnector {
  constructor(options: unknown) {
    super(options as SentinelConnectionOptions);
    const connect = this['connectToSentinel'].bind(this);
    this['connectToSentinel'] = (...where: Parameters<typeof connect>) => {
      const client = connect(...where);
      client.on('error', () => undefined);
      return client;
    };
  }
}
