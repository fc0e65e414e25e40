import { comparePositions, parsePosition, type Position } from '../protocol/position.ts';
import { POSITION_MS } from './room-log.ts';
import type { Missing } from '../protocol/event.ts';

/**
 * How much of an epoch names the data, and then the run of the server on which the position was made; in a Cluster the
 * rest names the beginning of the room's history.
 */
const DATA_LENGTH = 6;
const RUN_LENGTH = 6;
/** Clocks of two servers may differ by so much. */
const SKEW_MS = 60_000;

/** What Redis knows of a room's positions (lua/read.lua); empty strings for those there are not. */
export interface RoomFacts {
  /** Of positions that are made now. */
  readonly epoch: string;
  readonly newest: string;
  /** Where this history begins; before it nothing was published for a day. */
  readonly floor: string;
  /** Stream id of the newest position that a failover dropped. */
  readonly lost: string;
  /** The position that was made when that was found out. */
  readonly mark: string;
  /** The one before the oldest message kept. */
  readonly trimmedTo: string;
  /** Epoch of the message kept at the position's stream id. */
  readonly epochThere: string;
  /** When the run of the server ended on which the position was made, in ms; empty: there was no such run before. */
  readonly ended: string;
}

/**
 * Why messages after a position are missing; undefined if none is. `dropped` is `history_lost` found out for the
 * first time: the room has to be told (lua/mark-lost.lua).
 */
export function missingAfter(after: string, tag: string, facts: RoomFacts): Missing | 'dropped' | undefined {
  const position = parsePosition(after);
  if (position === undefined) return 'unknown_position';
  const isOfRoom = position.tag === tag;
  const isDropped = isOfRoom && isAtOrBefore(position, streamPosition(facts.lost));
  // What is there is, whatever the data is called by now: in a Cluster its name can be lost without it.
  if (isOfRoom && !isDropped && isThere(after, position, facts)) return undefined;
  if (isDropped || dataOf(position.epoch) !== dataOf(facts.epoch)) return 'history_lost';
  return isOfRoom ? missingUnlisted(position, facts) : 'unknown_position';
}

/** Whether the room's history knows this very position. */
function isThere(
  after: string,
  { epoch }: Position,
  { newest, mark, trimmedTo, epochThere }: RoomFacts,
): boolean {
  return [newest, mark, trimmedTo].includes(after) || epochThere === epoch;
}

/** For a position that is none of those at hand. A message is never the first of its millisecond, a moment always. */
function missingUnlisted(position: Position, facts: RoomFacts): Missing | 'dropped' | undefined {
  const newest = parsePosition(facts.newest);
  const start = parsePosition(facts.floor) ?? newest;
  const absent = mayHaveBeenDropped(position, facts) ? 'dropped' : 'unknown_position';
  if (start === undefined || newest === undefined) return 'unknown_position';
  if (comparePositions(position, newest) > 0) return absent;
  if (comparePositions(position, start) < 0) {
    if (position.ms < start.ms - POSITION_MS) return 'expired';
    if (position.seq > 0) return absent;
    return facts.floor === '' || facts.floor === facts.trimmedTo ? undefined : 'trimmed';
  }
  return isAtOrBefore(position, parsePosition(facts.trimmedTo)) ? 'trimmed' : absent;
}

/** Anybody can ask with any position: one that no server can have given is nobody's loss. */
function mayHaveBeenDropped({ epoch, ms }: Position, facts: RoomFacts): boolean {
  return epoch !== facts.epoch && facts.ended !== '' && ms <= Number(facts.ended) + SKEW_MS;
}

/** The same for a moment: whether messages made since are gone. */
export function missingSince(ms: number, { lost, trimmedTo }: RoomFacts): Missing | undefined {
  const isSince = (position: Position | undefined): boolean =>
    position !== undefined && position.seq > 0 && position.ms >= ms;
  if (isSince(streamPosition(lost))) return 'history_lost';
  return isSince(parsePosition(trimmedTo)) ? 'trimmed' : undefined;
}

function isAtOrBefore(position: Position, other: Position | undefined): boolean {
  return other !== undefined && comparePositions(position, other) <= 0;
}

function streamPosition(id: string): Position | undefined {
  return parsePosition(`lost.room.${id}`);
}

function dataOf(epoch: string): string {
  return epoch.slice(0, DATA_LENGTH);
}

export function runOf(epoch: string): string {
  return epoch.slice(DATA_LENGTH, DATA_LENGTH + RUN_LENGTH);
}
