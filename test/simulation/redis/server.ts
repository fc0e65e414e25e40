import type { ClusterMember } from './cluster.ts';
import { Connection, type ModelConnection } from './connection.ts';
import type { Dump } from './data.ts';
import { execute } from './execute.ts';
import { Push, type Reply } from './replies.ts';
import type { Rule } from './rights.ts';
import { slotOfBytes } from './routing.ts';
import { type Address, type ModelServerOptions, type Refusal, ServerState } from './state.ts';

export type { ModelConnection } from './connection.ts';
export type { Dump } from './data.ts';
export type { Rule } from './rights.ts';
export type { Address, ModelServerOptions, Refusal } from './state.ts';

/**
 * A model of one redis-server 7: it speaks RESP over connections that are handed to it, and does nothing by itself.
 * Whatever `send` does, it must not bring bytes to a model server before the call that led to it has returned.
 */
export class ModelServer implements ClusterMember {
  readonly name: string;
  readonly address: Address;
  /** For the other parts of the model. */
  readonly state: ServerState;
  #master: ModelServer | undefined;

  constructor(options: ModelServerOptions) {
    this.name = options.name;
    this.address = options.address;
    this.state = new ServerState(options);
    options.cluster?.join(this);
  }

  /** Another one after every restart. */
  get runId(): string {
    return this.state.runId;
  }

  get role(): 'master' | 'replica' {
    return this.#master === undefined ? 'master' : 'replica';
  }

  /** Whom it follows; undefined: it is a master. */
  get master(): ModelServer | undefined {
    return this.#master;
  }

  /** By which error it refuses writes (the last two: nearly everything), whatever it is; undefined: by none. */
  get refuseWrites(): Refusal | undefined {
    return this.state.refusal;
  }

  set refuseWrites(refusal: Refusal | undefined) {
    this.state.refusal = refusal;
  }

  /**
   * Opens a connection. `send` takes bytes for the client, in order; `closed` is called once where the server ends the
   * connection (restart, CLIENT KILL, `closeConnections`, a protocol error), after which nothing more is sent.
   */
  connect(send: (bytes: Buffer) => void, closed: () => void): ModelConnection {
    const { state } = this;
    const connection = new Connection({
      id: state.nextConnection,
      send,
      closed,
      execute: (from, words) => execute(state, from, words),
      over: (from) => this.#forget(from),
    });
    state.nextConnection += 1;
    state.connections.set(connection.id, connection);
    return connection;
  }

  /** Ends all connections of clients, as a Sentinel does with a server that it demotes. */
  closeConnections(): void {
    for (const connection of Array.from(this.state.connections.values())) connection.end();
  }

  /**
   * Another process in its place: a new run id, all connections closed, its scripts gone. It is what it was, master or
   * replica; its replicas, and itself where it is one, need a new copy, which their next `catchUp` brings.
   */
  restart(data: 'kept' | 'lost' | Dump): void {
    const { state } = this;
    this.closeConnections();
    if (data === 'lost') state.db.clear();
    else if (data !== 'kept') state.db.load(data);
    state.scripts.clear();
    state.runId = state.hexadecimal(40);
    state.replicationId = state.hexadecimal(40);
    state.nextConnection = 1;
    state.replication.forget();
    for (const replica of state.replication.replicas) replica.forget();
  }

  /** What it keeps now, to go back to by `restart`. */
  dump(): Dump {
    return this.state.db.dump();
  }

  /** Follows a master from now on; it is given a copy of everything with the first `catchUp`. Clients stay connected. */
  replicaOf(master: ModelServer): void {
    this.#follow(master);
    this.state.options.cluster?.tell(this);
  }

  /** Takes writes from now on; what was not let through by `catchUp` it never had. */
  promote(): void {
    this.#follow(undefined);
  }

  /**
   * How much of its master's writes is still on its way to it, in units that come whole: one command, or all writes of a
   * script. A copy of everything is one unit, and what comes after it is counted once that is there.
   */
  get lag(): number {
    return this.state.replication.lag;
  }

  /** Lets so many units of what its master did arrive; everything unless told otherwise. Replicas never get anything by themselves. */
  catchUp(units = Number.POSITIVE_INFINITY): void {
    this.state.tick();
    this.state.replication.catchUp(units);
  }

  /** Takes a key away as an eviction does; replicas hear of it. */
  evict(key: string): void {
    this.state.db.expire(Buffer.from(key).toString('latin1'));
    this.state.replication.send();
  }

  scriptFlush(): void {
    this.state.scripts.clear();
  }

  flushAll(): void {
    this.command('FLUSHALL');
  }

  /**
   * Takes a right away while connections are open; also in the middle of a script, where what the script did before
   * stays done. Connections that listen to channels which are denied are closed, as Redis does.
   */
  deny(rule: Rule): void {
    const { rights, connections } = this.state;
    rights.deny(rule);
    for (const connection of Array.from(connections.values())) {
      if (!rights.mayUse(connection.shared) || !rights.mayUse(connection.sharded)) connection.end();
    }
  }

  /** Gives back every right. */
  allowAll(): void {
    this.state.rights.allowAll();
  }

  /**
   * Runs one command as an operator would, past rights, roles and slots. Gives the reply (texts as Latin-1); raises
   * Refused, with Redis's words as its `text`.
   */
  command(...words: string[]): Reply | undefined {
    return execute(
      this.state,
      undefined,
      words.map((word) => Buffer.from(word).toString('latin1')),
    );
  }

  /** Of the Cluster: its subscriptions in these slots end, and those who listened are told. */
  endSubscriptions(lost: (slot: number) => boolean): void {
    const { channels } = this.state;
    for (const channel of channels.shardedChannels()) {
      if (!lost(slotOfBytes(channel))) continue;
      for (const listener of channels.listenersOf(channel)) {
        if (!(listener instanceof Connection)) continue;
        channels.remove(channel, listener, true);
        listener.sharded.delete(channel);
        listener.push(new Push(['sunsubscribe', channel, listener.sharded.size]));
      }
    }
  }

  #follow(master: ModelServer | undefined): void {
    const { state } = this;
    if (master === undefined && this.#master !== undefined) state.replicationId = state.hexadecimal(40);
    this.#master = master;
    state.master = master?.address;
    state.db.mode = master === undefined ? 'master' : 'replica';
    state.replication.follow(master?.state.replication);
  }

  #forget(connection: Connection): void {
    const { channels, connections } = this.state;
    connections.delete(connection.id);
    for (const channel of connection.shared) channels.remove(channel, connection, false);
    for (const channel of connection.sharded) channels.remove(channel, connection, true);
  }
}
