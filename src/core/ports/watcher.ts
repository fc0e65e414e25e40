import type { PresenceChange } from './presence-store.ts';

/** Why what a watcher saw was never reported. */
export type Unreported = 'overflow' | 'refused' | 'gave_up' | 'stopped';

/** How a watcher's reports fare, since the start. */
export interface WatcherFigures {
  /** Events that were taken. */
  readonly reported: number;
  /** Events that were not, by reason. */
  readonly dropped: ReadonlyMap<Unreported, number>;
  /** Requests that failed and were made again. */
  readonly retries: number;
  /** Events that wait, those under way included. */
  readonly waiting: number;
}

/** Somebody outside who is told who comes and goes. Absent where nobody wants to know. */
export interface Watcher {
  readonly figures: WatcherFigures;
  /**
   * Called by the roster for every change it is about to announce, however large the room, on the one pod that caused
   * it. Only takes note: never throws and never waits.
   */
  changed(room: string, change: PresenceChange): void;
}
