import type { MessageDraft } from '../../protocol/message.ts';
import type { PresenceChange } from './presence-store.ts';
import type { RoomEvent } from './room-rules.ts';

/** Why an event was never reported. */
export type Unreported = 'overflow' | 'refused' | 'gave_up' | 'stopped';

/** What became of the events of one queue since the start. The figures change as events are reported. */
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

/** What is reported of a message besides its room and its position. */
export type ReportedMessage = Pick<MessageDraft, 'type' | 'from' | 'event' | 'data' | 'timestamp'>;

/** Reports what happens in rooms to the operator's server. Absent if the operator configured none. */
export interface Watcher {
  /**
   * Called by the roster for every change, however large the room, on the one pod that caused it. Only the `wanted`
   * events are reported. It must not throw and must return at once.
   */
  changed(room: string, change: PresenceChange, wanted: ReadonlySet<RoomEvent>): void;
  /**
   * The history of a room has stored a message that was published on this pod; `id` is its position. If it is called
   * twice for one position, also on two pods, the server must be able to recognize the repetition. It must not throw
   * and must return at once.
   */
  stored(room: string, id: string, message: ReportedMessage): void;
}
