import type { HistoryRecord } from './record.ts';
import type { Missing } from '../../../protocol/event.ts';
import { POSITION_MS, SKEW_MS } from '../../shared/terms.ts';
import type { Position } from '../../../protocol/position.ts';

/** All that is kept of a room that has something. */
export interface Whole {
  /** Oldest first; one more than may be shown where older ones have been trimmed. */
  readonly entries: readonly HistoryRecord[];
  /** Most that may be shown. */
  readonly size: number;
}

/** Positions of an empty room name the moment in which it was: they have no sequence (docs/adr/0013-history-in-nats.md). */
export function isMoment({ ms: seq }: Position): boolean {
  return seq === 0;
}

/** Why messages after a position of this history and room are missing; undefined if none is. */
export function missingAfter(position: Position, { entries, size }: Whole, now: number): Missing | undefined {
  const [first] = entries;
  const last = entries.at(-1);
  if (first === undefined || last === undefined) return missingInEmpty(position, now);
  const isTrimmed = entries.length > size;
  if (isMoment(position)) return missingInEmpty(position, now) ?? (isTrimmed ? 'trimmed' : undefined);
  const { ms: seq } = position;
  if (seq < first.seq) return isTrimmed ? 'trimmed' : 'expired';
  return entries.some((kept) => kept.seq === seq) ? undefined : 'unknown_position';
}

/** The same for a room of which nothing is kept: nothing was published in it for a day. */
export function missingInEmpty(position: Position, now: number): Missing | undefined {
  if (!isMoment(position)) return 'expired';
  const { seq: moment } = position;
  if (moment > now + SKEW_MS) return 'unknown_position';
  return moment <= now - POSITION_MS ? 'expired' : undefined;
}
