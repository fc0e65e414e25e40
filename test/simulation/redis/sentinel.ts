import { Channels } from './channels.ts';
import { Connection, type ModelConnection } from './connection.ts';
import { OK, Pairs, Push, Refused, type Reply, Status } from './replies.ts';
import type { Address } from './state.ts';

export interface ModelSentinelOptions {
  readonly address: Address;
  /** What it calls the master, `mymaster`. */
  readonly group: string;
  readonly master: Address;
  readonly replicas: readonly Address[];
  /** The other Sentinels that it knows. */
  readonly others: readonly Address[];
}

/** A model of one Redis Sentinel, which knows what the world tells it. */
export class ModelSentinel {
  readonly address: Address;
  readonly #options: ModelSentinelOptions;
  readonly #channels = new Channels();
  readonly #connections = new Set<Connection>();
  #master: Address;
  #replicas: readonly Address[];
  #nextConnection = 1;

  constructor(options: ModelSentinelOptions) {
    this.address = options.address;
    this.#options = options;
    this.#master = options.master;
    this.#replicas = options.replicas;
  }

  /** Whom it calls the master. */
  get master(): Address {
    return this.#master;
  }

  /** As `ModelServer.connect`. */
  connect(send: (bytes: Buffer) => void, closed: () => void): ModelConnection {
    const connection = new Connection({
      id: this.#nextConnection,
      send,
      closed,
      execute: (from, words) => this.#execute(from, words),
      over: (from) => this.#forget(from),
    });
    this.#nextConnection += 1;
    this.#connections.add(connection);
    return connection;
  }

  closeConnections(): void {
    for (const connection of Array.from(this.#connections)) connection.end();
  }

  /** It learns of another master, one that was a replica, and tells those who listen to `+switch-master`. */
  switchMaster(to: Address): void {
    const from = this.#master;
    this.#replicas = [...this.#replicas.filter((replica) => replica !== to), from];
    this.#master = to;
    const text = `${this.#options.group} ${from.host} ${from.port} ${to.host} ${to.port}`;
    this.#channels.publish('+switch-master', text, false);
  }

  #execute(connection: Connection, [word = '', ...words]: readonly string[]): Reply | undefined {
    switch (word.toUpperCase()) {
      case 'PING':
        return new Status('PONG');
      case 'HELLO':
        return hello(connection, words);
      case 'AUTH':
        return OK;
      case 'CLIENT':
        return this.#client(connection, words);
      case 'SENTINEL':
        return this.#sentinel(words);
      case 'SUBSCRIBE':
        return this.#subscribe(connection, words);
      case 'INFO':
        return '# Server\r\nredis_mode:sentinel\r\n';
      default:
        throw new Refused(`ERR unknown command '${word}', with args beginning with: `);
    }
  }

  #client(connection: Connection, [subcommand = '']: readonly string[]): Reply {
    const name = subcommand.toUpperCase();
    if (name === 'ID') return connection.id;
    if (name === 'SETNAME') return OK;
    throw new Refused(`ERR unknown subcommand '${subcommand}'. Try CLIENT HELP.`);
  }

  #sentinel([subcommand = '', group]: readonly string[]): Reply {
    const name = subcommand.toLowerCase();
    const isKnown = group === this.#options.group;
    if (name === 'get-master-addr-by-name')
      return isKnown ? [this.#master.host, String(this.#master.port)] : null;
    if (!isKnown) throw new Refused('ERR No such master with that name');
    if (name === 'sentinels') return this.#options.others.map((other) => facts(other, 'sentinel'));
    if (name === 'slaves' || name === 'replicas')
      return this.#replicas.map((replica) => facts(replica, 'slave'));
    throw new Refused(`ERR unknown subcommand '${subcommand}'. Try SENTINEL HELP.`);
  }

  #subscribe(connection: Connection, channels: readonly string[]): undefined {
    for (const channel of channels) {
      connection.shared.add(channel);
      this.#channels.add(channel, connection, false);
      connection.push(new Push(['subscribe', channel, connection.shared.size]));
    }
  }

  #forget(connection: Connection): void {
    this.#connections.delete(connection);
    for (const channel of connection.shared) this.#channels.remove(channel, connection, false);
  }
}

function hello(connection: Connection, [protocol]: readonly string[]): Reply {
  if (protocol !== undefined && !/^[23]$/.test(protocol))
    throw new Refused('NOPROTO unsupported protocol version');
  if (protocol !== undefined) connection.protocol = protocol === '3' ? 3 : 2;
  return new Pairs([
    'server',
    'redis',
    'proto',
    connection.protocol,
    'id',
    connection.id,
    'mode',
    'sentinel',
    'modules',
    [],
  ]);
}

function facts({ host, port }: Address, flags: string): Reply {
  return new Pairs(['name', `${host}:${port}`, 'ip', host, 'port', String(port), 'flags', flags]);
}
