import { AbstractConnector } from 'ioredis';
import { createConnection, type LookupFunction, type Socket } from 'node:net';
import { connect as connectWithTls, type ConnectionOptions } from 'node:tls';

/** What ioredis hands on of the options of its client. */
export interface NamedServerOptions {
  readonly host: string;
  readonly port: number;
  readonly tls?: ConnectionOptions | undefined;
  readonly disconnectTimeout: number;
  readonly lookup: LookupFunction;
}

/** Connects to one server, as the connector of ioredis does, but for that it can be told how to look its name up. */
export class NamedServer extends AbstractConnector {
  readonly #options: NamedServerOptions;

  constructor(options: unknown) {
    super((options as NamedServerOptions).disconnectTimeout);
    this.#options = options as NamedServerOptions;
  }

  override async connect(): Promise<Socket> {
    const { host, port, tls, lookup } = this.#options;
    this.connecting = true;
    // Whoever disconnects at once has nothing opened for him any more.
    await Promise.resolve();
    if (!this.connecting) throw new Error('Connection is closed.');
    const where = { host, port, lookup };
    // An empty one counts: TLS with the authorities that Node knows.
    const stream = tls === undefined ? createConnection(where) : connectWithTls({ ...where, ...tls });
    stream.once('error', (error) => (this.firstError = error));
    this.stream = stream;
    return stream;
  }
}
