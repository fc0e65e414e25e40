import type { ClusterView } from './cluster.ts';
import type { Dump } from './data.ts';
import type { Lua } from './lua.ts';

/** Where others say that a server is; the world brings connections to it there. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface ModelServerOptions {
  readonly name: string;
  /** What `ROLE`, `CLUSTER SLOTS` and redirections call it. */
  readonly address: Address;
  /** Milliseconds since 1970 by this server's own clock (fractions allowed); it may jump. */
  readonly now: () => number;
  /** Seeded numbers in [0,1): run ids, SPOP. */
  readonly random: () => number;
  /** One for all servers of the process: it compiles each script once. */
  readonly lua: Lua;
  /** Who has which slots; the servers of one Cluster share one view. The server joins it by itself. */
  readonly cluster?: ClusterView;
}

/** One TCP connection, as the server sees it. All answers are given while `receive` runs. */
export interface ModelConnection {
  /** Bytes from the client, in pieces of any size. */
  receive(bytes: Buffer): void;
  /** The client has ended it; `closed` is not called. */
  close(): void;
}

/** Errors by which a server that is there refuses every write. */
export type Refusal = 'READONLY' | 'NOREPLICAS' | 'MISCONF' | 'OOM' | 'LOADING' | 'MASTERDOWN';

/** A right that the user of all connections loses: a command (`xadd`), or publishing to and hearing channels (a glob). */
export type Rule = { readonly command: string } | { readonly channels: string };

/** A model of one redis-server 7: it speaks RESP over connections that are handed to it, and does nothing by itself. */
export class ModelServer {
  readonly name: string;
  readonly address: Address;
  /** Undefined: it takes writes, and is refused none but by `deny`. */
  refuseWrites: Refusal | undefined;

  constructor(options: ModelServerOptions) {
    this.name = options.name;
    this.address = options.address;
  }

  /** Another one after every restart. */
  get runId(): string {
    throw new Error('not made yet');
  }

  get role(): 'master' | 'replica' {
    throw new Error('not made yet');
  }

  /**
   * Opens a connection. `send` takes bytes for the client, in order; `closed` is called once where the server ends the
   * connection (restart, CLIENT KILL, `closeConnections`, a protocol error), after which nothing more is sent.
   */
  connect(_send: (bytes: Buffer) => void, _closed: () => void): ModelConnection {
    throw new Error('not made yet');
  }

  /** Ends all connections of clients, as a Sentinel does with a server that it demotes. */
  closeConnections(): void {
    throw new Error('not made yet');
  }

  /** Another process in its place: a new run id, all connections closed, its scripts gone; it is what it was, master or replica. */
  restart(_data: 'kept' | 'lost' | Dump): void {
    throw new Error('not made yet');
  }

  /** What it keeps now, to go back to by `restart`. */
  dump(): Dump {
    throw new Error('not made yet');
  }

  /** Follows a master from now on; it is given a copy of everything with the first `catchUp`. */
  replicaOf(_master: ModelServer): void {
    throw new Error('not made yet');
  }

  /** Takes writes from now on; what was not let through by `catchUp` it never had. */
  promote(): void {
    throw new Error('not made yet');
  }

  /** How much of its master's writes is still on its way to it: units that come whole (one command, or all writes of a script). */
  get lag(): number {
    throw new Error('not made yet');
  }

  /** Lets so many units of what its master did arrive; everything unless told otherwise. Replicas never get anything by themselves. */
  catchUp(_units = Number.POSITIVE_INFINITY): void {
    throw new Error('not made yet');
  }

  /** Takes a key away as an eviction does; replicas hear of it. */
  evict(_key: string): void {
    throw new Error('not made yet');
  }

  scriptFlush(): void {
    throw new Error('not made yet');
  }

  flushAll(): void {
    throw new Error('not made yet');
  }

  /** Takes a right away while connections are open; also in the middle of a script, where what the script did before stays done. */
  deny(_rule: Rule): void {
    throw new Error('not made yet');
  }

  /** Gives back every right. */
  allowAll(): void {
    throw new Error('not made yet');
  }

  /** Runs one command as an operator would, past `deny`; the reply as RESP2 has it (texts as Latin-1), an Error where it is refused. */
  command(..._words: string[]): unknown {
    throw new Error('not made yet');
  }
}
