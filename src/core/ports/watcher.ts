import type { PresenceChange } from './presence-store.ts';

/** Why an event was never reported. */
export type Unreported = 'overflow' | 'refused' | 'gave_up' | 'stopped';

/** What became of the events since the start. */
export interface WatcherFigures {
  /** Events that the operator's server accepted. */
  readonly reported: number;
  /** Events that were dropped, by reason. */
  readonly dropped: ReadonlyMap<Unreported, number>;
  /** Requests that failed and were repeated. */
  readonly retries: number;
  /** Events that wait, including those in flight. */
  readonly waiting: number;
}

/** Reports presence changes to the operator's server. Absent if the operator configured none. */
export interface Watcher {
  readonly figures: WatcherFigures;
  /**
   * Called by the roster for every change, however large the room, on the one pod that caused it. It must not throw and
   * must return at once.
   */
  changed(room: string, change: PresenceChange): void;
}
