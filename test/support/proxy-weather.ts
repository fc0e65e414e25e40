/** Which way bytes go: from clients to the server, from the server to clients. */
export type Direction = 'to-server' | 'to-client';

/** Whether a connection is concerned, by what its client said first. */
export type Concerns = (greeting: string) => boolean;

/** What a network does to connections at present. */
export interface Weather {
  readonly silent: Set<Direction>;
  /** Absent: at once. */
  readonly delayMs: Map<Direction, number>;
  /** Undefined: all of them. */
  concerns: Concerns | undefined;
}
