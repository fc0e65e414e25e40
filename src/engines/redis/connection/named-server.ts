import { AbstractConnector } from 'ioredis';
import { createConnection, type LookupFunction, type Socket } from 'node:net';
import { connect as connectWithTls, type ConnectionOptions } from 'node:tls';

/** The client options that ioredis hands on to a connector. */
export interface NamedServerOptions {
  readonly host: string;
  readonly port: number;
  readonly tls?: ConnectionOptions | undefined;
  readonly disconnectTimeout: number;
  readonly lookup: LookupFunction;
}

/** Connects to one server as the connector of ioredis does, but with the given `lookup`. */
export class NamedServer extends AbstractConnector {
  readonly #options: NamedServerOptions;

  constructor(options: unknown) {
    super((options as NamedServerOptions).disconnectTimeout);
    this.#options = options as NamedServerOptions;
  }

  override async connect(): Promise<Socket> {
    const { host, port, tls, lookup } = this.#options;
    this.connecting = true;
    // A client that disconnects in the same turn must not open a socket.
    await Promise.resolve();
    if (!this.connecting) throw new Error('Connection is closed.');
    const where = { host, port, lookup };
    // An empty object means TLS with the authorities that Node trusts.
    const stream = tls === undefined ? createConnection(where) : connectWithTls({ ...where, ...tls });
    stream.once('error', (error) => (this.firstError = error));
    this.stream = stream;
    return stream;
  }
}
