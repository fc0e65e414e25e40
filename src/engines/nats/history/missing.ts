import type { HistoryRecord } from './record.ts';
import type { Missing } from '../../../protocol/event.ts';
import { POSITION_MS, SKEW_MS } from '../../shared/terms.ts';
import type { Position } from '../../../protocol/position.ts';

/** All stored messages of a room. */
export interface Whole {
  /** Oldest first; one more than `size` if older ones were trimmed. */
  readonly entries: readonly HistoryRecord[];
  /** The most that a reader gets. */
  readonly size: number;
}

/** Whether it is the position of an empty room: it has no sequence, but a moment (docs/adr/0013-history-in-nats.md). */
export function isMoment({ ms: seq }: Position): boolean {
  return seq === 0;
}

/** Why messages after a position of this room are missing; undefined if none is. */
export function missingAfter(position: Position, { entries, size }: Whole, now: number): Missing | undefined {
  const [first] = entries;
  const last = entries.at(-1);
  if (first === undefined || last === undefined) return missingInEmpty(position, now);
  const isTrimmed = entries.length > size;
  if (isMoment(position)) return missingInEmpty(position, now) ?? (isTrimmed ? 'trimmed' : undefined);
  const { ms: seq } = position;
  if (seq < first.seq) return isTrimmed ? 'trimmed' : 'expired';
  return entries.some((record) => record.seq === seq) ? undefined : 'unknown_position';
}

/** The same for a room without stored messages: for a day nothing was published in it. */
export function missingInEmpty(position: Position, now: number): Missing | undefined {
  if (!isMoment(position)) return 'expired';
  const { seq: moment } = position;
  if (moment > now + SKEW_MS) return 'unknown_position';
  return moment <= now - POSITION_MS ? 'expired' : undefined;
}
