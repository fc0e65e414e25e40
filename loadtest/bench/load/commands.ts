import type { DialectName } from './dialect.ts';

/** How a client comes and talks. */
export interface Way {
  readonly dialect: DialectName;
  /** Path and query of the upgrade; `{room}`, `{n}` and `{token}` stand for the room's name, the connection's number, its token. */
  readonly path: string;
}

/** Where and how the generator connects. */
export interface ConnectOptions {
  /** Of the servers; the members of a room are spread over them. */
  readonly ports: readonly number[];
  /** The members of a room take them in turn. */
  readonly ways: readonly Way[];
  /** A multiple of the rooms. */
  readonly connections: number;
  readonly rooms: number;
}

/**
 * What is published: `bursts` times `perBurst` messages, one burst every `intervalMs`. In one room the first connection
 * publishes; of several rooms each has its turn.
 */
export interface RunOptions {
  readonly bursts: number;
  readonly perBurst: number;
  readonly intervalMs: number;
  /** How long the last deliveries may take before they count as missing; 10 s. */
  readonly graceMs?: number;
}

/** What some connections received; times of day in milliseconds since 1970. */
export interface Reach {
  /** Publish to receive. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly firstAt: number;
  readonly lastAt: number;
}

export interface RunResult {
  readonly messages: number;
  /** What should have been received, and what was. */
  readonly expected: number;
  readonly deliveries: number;
  /** Received a second time or behind a later message. */
  readonly disordered: number;
  readonly closed: number;
  /** Publish to receive, over all deliveries, in milliseconds. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** The same on the publisher's server, and on the others if there are any. */
  readonly own?: Reach | undefined;
  readonly others?: Reach | undefined;
  /** The generator's own CPU time divided by the time that passed: close to 1 it is the bottleneck. */
  readonly generatorLoad: number;
}

/** How fast all of a crowd connected. */
export interface Connected {
  /** From the first handshake to the last answer to a join. */
  readonly seconds: number;
  /** Handshakes that the server put off: their clients came later. */
  readonly refused: number;
  readonly generatorLoad: number;
}

/** So many clients miss so many messages each. */
export interface ResumeOptions {
  readonly clients: number;
  readonly messages: number;
}

export interface Resumed extends Omit<Connected, 'refused'> {
  /** Payload of all frames that a client received. */
  readonly bytesPerResume: number;
}

export interface PairsOptions {
  readonly ports: readonly number[];
  /** Each has a publisher, and a member on the next server who receives. */
  readonly rooms: number;
}

export interface ThroughputOptions {
  readonly seconds: number;
  /** How long publishing goes on before anything is counted. */
  readonly leadMs: number;
}

export interface Throughput {
  /** Acknowledged in each second. */
  readonly messagesPerSecond: number;
  readonly published: number;
  readonly received: number;
  readonly generatorLoad: number;
}

/** What the generator is told, and what it answers. */
export interface Commands {
  readonly connect: readonly [ConnectOptions, Connected];
  readonly run: readonly [RunOptions, RunResult];
  /** After `connect` and `run`: from the positions at which the crowd joined. */
  readonly resume: readonly [ResumeOptions, Resumed];
  readonly pair: readonly [PairsOptions, object];
  /** After `pair`. */
  readonly throughput: readonly [ThroughputOptions, Throughput];
}

export type Kind = keyof Commands;

export interface Command<K extends Kind = Kind> {
  readonly kind: K;
  readonly options: Commands[K][0];
}

export interface Reply<K extends Kind = Kind> {
  readonly kind: K;
  readonly result: Commands[K][1];
}
