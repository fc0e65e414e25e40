import type { DialectName } from './dialect.ts';

/** Where and how the generator connects. */
export interface ConnectOptions {
  readonly port: number;
  readonly dialect: DialectName;
  /** Path and query of the upgrade; `{room}`, `{n}` and `{token}` stand for the room's name, the connection's number, its token. */
  readonly path: string;
  readonly connections: number;
  readonly rooms: number;
}

/** What is published, by the first connection: `bursts` times `perBurst` messages, one burst every `intervalMs`. */
export interface RunOptions {
  readonly bursts: number;
  readonly perBurst: number;
  readonly intervalMs: number;
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
  /** The generator's own CPU time divided by the time that passed: close to 1 it is the bottleneck. */
  readonly generatorLoad: number;
}

export type Command =
  | { readonly kind: 'connect'; readonly options: ConnectOptions }
  | { readonly kind: 'run'; readonly options: RunOptions };

export type Reply =
  | { readonly kind: 'connected' }
  | { readonly kind: 'ran'; readonly result: RunResult }
  | { readonly kind: 'failed'; readonly error: string };
