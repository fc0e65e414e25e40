import { Channels } from './channels.ts';
import type { ClusterView } from './cluster.ts';
import type { Call } from './command.ts';
import type { Connection } from './connection.ts';
import { DATA_COMMANDS } from './data-commands.ts';
import { Keyspace } from './keyspace.ts';
import type { Lua } from './lua.ts';
import { Replication } from './replication.ts';
import { Rights } from './rights.ts';

/** Where others say that a server is; the world brings connections to it there. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Errors by which a server that is there refuses writes, or (the last two) nearly everything. */
export type Refusal = 'READONLY' | 'NOREPLICAS' | 'MISCONF' | 'OOM' | 'LOADING' | 'MASTERDOWN';

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
  /** As whom it gives itself out, and words what an ACL forbids; 7.0.15, or 7.2 and later. */
  readonly version?: string;
  /** Who has which slots; the servers of one Cluster share one view. The server joins it by itself. */
  readonly cluster?: ClusterView;
}

/** What a server is made of; what it does is elsewhere. */
export class ServerState {
  readonly options: ModelServerOptions;
  readonly version: string;
  readonly db: Keyspace;
  readonly channels = new Channels();
  readonly rights: Rights;
  readonly replication: Replication;
  /** Scripts that were loaded, by their SHA-1. */
  readonly scripts = new Map<string, string>();
  readonly connections = new Map<number, Connection>();
  /** What data commands work on. */
  readonly call: Call;
  /** By which other servers of a Cluster know it. */
  readonly nodeId: string;
  runId: string;
  /** Another one whenever it becomes a master. */
  replicationId: string;
  nextConnection = 1;
  refusal: Refusal | undefined;
  /** Whom it follows. */
  master: Address | undefined;
  /** The time of the command that runs. */
  #now = 0;

  constructor(options: ModelServerOptions) {
    this.options = options;
    this.version = options.version ?? '7.0.15';
    this.rights = new Rights(this.version);
    this.replication = new Replication({
      dump: () => this.db.dump(),
      load: (dump) => this.db.load(dump),
      obey: (words) => this.#obey(words),
    });
    this.db = new Keyspace({
      now: () => Math.floor(this.#now / 1_000),
      changed: (words) => this.replication.changed(words),
    });
    const { channels, db } = this;
    this.call = { db, channels, random: options.random, time: () => this.#now };
    this.nodeId = this.hexadecimal(40);
    this.runId = this.hexadecimal(40);
    this.replicationId = this.hexadecimal(40);
    this.tick();
  }

  /** Looks at the clock, which then stands still until the next call. */
  tick(): void {
    this.#now = Math.floor(this.options.now() * 1_000);
  }

  /** Gives a key to another server, with its value and the rest of its time. */
  hand(key: string, to: ServerState): void {
    const entry = this.db.entry(key);
    if (entry === undefined) return;
    to.db.put(key, entry.value, entry.expiresAt);
    this.db.expire(key);
    this.replication.send();
  }

  hexadecimal(digits: number): string {
    return Array.from({ length: digits }, () => Math.floor(this.options.random() * 16).toString(16)).join('');
  }

  #obey(words: readonly string[]): void {
    this.tick();
    this.db.mode = 'obeying';
    DATA_COMMANDS.get(words[0]?.toUpperCase() ?? '')?.run(this.call, words);
    this.db.mode = 'replica';
  }
}
