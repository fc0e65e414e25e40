/** What the pods find between them. */
export type PlacementName = 'one' | 'sentinel' | 'cluster';

/** Something that a client does at a moment, in virtual milliseconds. */
export type Step = { readonly at: number; readonly client: string } & (
  | { readonly do: 'publish'; readonly room: string; readonly ref: boolean; readonly ephemeral: boolean }
  | { readonly do: 'repeat'; readonly back: number }
  | { readonly do: 'join'; readonly room: string; readonly history: number; readonly anew: boolean }
  | { readonly do: 'leave'; readonly room: string }
  | { readonly do: 'state'; readonly room: string; readonly status: string }
  | { readonly do: 'close' }
  | { readonly do: 'drop'; readonly noticedAfterMs: number | undefined; readonly arrives: boolean }
  | { readonly do: 'stop-reading'; readonly ms: number }
);

/** Something that breaks at a moment, and is mended later. */
export interface Fault {
  readonly at: number;
  readonly ms: number;
  readonly kind: string;
  /** What the kind needs to know (faults/). */
  readonly with: Readonly<Record<string, string | number | boolean | undefined>>;
}

export interface ClientPlan {
  readonly name: string;
  readonly user: string;
  readonly kind: 'raw' | 'library';
  /** Bytes that its systems hold while it does not read. */
  readonly buffer: number;
  /** Rooms that it joins at once. */
  readonly joins: readonly string[];
}

/** Everything that happens in a run but for what the parts answer to it; it can be cut down and played again. */
export interface Plan {
  readonly seed: string;
  readonly placement: PlacementName;
  readonly settings: Readonly<Record<string, string>>;
  readonly pods: number;
  readonly clients: readonly ClientPlan[];
  readonly steps: readonly Step[];
  readonly faults: readonly Fault[];
}

export const ROOMS = ['r1', 'r2', 'r3'] as const;

/** When a run is what, in virtual milliseconds. */
export const TIMES = {
  clients: 500,
  steps: 2_000,
  /** Nothing breaks any more, and all is mended. */
  mended: 38_000,
  end: 60_000,
} as const;

/** What is when after all is mended, in virtual milliseconds. */
export const AFTER_MENDED = {
  /** Somebody says something of himself for the last time. */
  statements: 11_000,
  /** The last messages. */
  markers: 14_000,
  /** From here on nothing happens that needs anybody. */
  quiet: 18_000,
  /** Pods are asked who is present. */
  ask: 20_500,
  end: 22_000,
} as const;
