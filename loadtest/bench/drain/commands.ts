/** Whom to connect, and between which pods they move. */
export interface CrowdOptions {
  /** Where everybody is at first. */
  readonly from: number;
  /** Where everybody goes from there; the publishers are there all the time. Both are ports. */
  readonly to: number;
  readonly connections: number;
  readonly rooms: number;
}

/** How the crowd got from one pod to the other. Times of day in milliseconds since 1970. */
export interface Handover {
  /** When the last one had joined its room again. */
  readonly lastBackAt: number;
  /** Handshakes that began in the worst second, wherever it began; those refused among them. */
  readonly worstSecond: number;
  /** Handshakes that were refused with a `Retry-After`, and tried again. */
  readonly refused: number;
  /** From the close of the old connection to `joined` on the new one, in milliseconds. */
  readonly gapP50Ms: number;
  readonly gapP99Ms: number;
  readonly gapMaxMs: number;
  /** Messages that came because of `last_id`. */
  readonly replayed: number;
  /** The load's own CPU time divided by the time that passed: close to 1 it is the bottleneck. */
  readonly load: number;
}

/** What the members received of all that was published in their rooms. */
export interface Account {
  readonly expected: number;
  readonly lost: number;
  readonly repeated: number;
  readonly disordered: number;
}

/** To be given in this order. */
export type Command =
  /** Connects everybody and begins to publish. */
  | { readonly kind: 'gather'; readonly options: CrowdOptions }
  /** Waits until everybody has moved. */
  | { readonly kind: 'follow' }
  /** Publishes no more and counts. */
  | { readonly kind: 'settle' };
