import { comparePositions, parsePosition, type Position } from '../../../protocol/position.ts';
import { POSITION_MS, SKEW_MS } from '../../shared/terms.ts';
import type { Missing } from '../../../protocol/event.ts';

/**
 * Characters of an epoch that name the data, and then the run of the server that made the position. The rest names the
 * beginning of the room's history, if that was known.
 */
const DATA_LENGTH = 6;
const RUN_LENGTH = 6;

/** What Redis knows of a room's positions (read.lua); unknown facts are empty strings. */
export interface RoomFacts {
  /** The epoch of positions that are made now. */
  readonly epoch: string;
  readonly newest: string;
  /** Position at which this history begins; nothing was published in the day before. */
  readonly floor: string;
  /** Stream id of the newest position that a failover dropped. */
  readonly lost: string;
  /** The position that was made when the loss was found. */
  readonly mark: string;
  /** The position before the oldest stored message. */
  readonly trimmedTo: string;
  /** Epoch of the message that is stored at the position's stream id. */
  readonly epochThere: string;
  /** When the run that made the position ended, in ms; empty if Redis knows no such run. */
  readonly ended: string;
  /** When the data was last found to be older than a pod had seen it, in ms. */
  readonly wentBack: string;
}

/** What a client gets that asks for the messages after a position. */
export interface ResumeOutcome {
  /** Why some messages are missing; undefined if none is. */
  readonly missing: Missing | undefined;
  /** Whether the page begins after the position. If not, that is gone, and the page begins with the oldest message. */
  readonly goesOn: boolean;
  /** Whether the room does not know yet that this position was dropped (mark-lost.lua). */
  readonly isNewLoss: boolean;
}

const complete: ResumeOutcome = { missing: undefined, goesOn: true, isNewLoss: false };
const going = (missing: Missing): ResumeOutcome => ({ missing, goesOn: true, isNewLoss: false });
const gone = (missing: Missing): ResumeOutcome => ({ missing, goesOn: false, isNewLoss: false });

interface Named {
  readonly after: string;
  /** Whether the pod itself was given the position, so that it must have existed. */
  readonly isOurs?: boolean;
}

/** Judges a position that a client or a pod has named (docs/adr/0006-history-in-redis.md). */
export function resumeOutcome(
  { after, isOurs = false }: Named,
  tag: string,
  facts: RoomFacts,
): ResumeOutcome {
  const position = parsePosition(after);
  if (position === undefined) return gone('unknown_position');
  const isOtherData = dataOf(position.epoch) !== dataOf(facts.epoch);
  if (position.tag !== tag) return gone(isOtherData ? 'history_lost' : 'unknown_position');
  const liesBeforeLoss = isBeforeLoss(position, facts);
  // Before the name of the data is compared: in a Cluster the name can be lost while the message is still stored.
  if (isThere(after, position, facts)) return liesBeforeLoss ? going('history_lost') : complete;
  if (isOtherData) return gone('history_lost');
  if (isOfOtherBeginning(position, facts)) {
    if (isForgotten(position, facts)) return gone('expired');
    return { ...gone('history_lost'), isNewLoss: position.seq > 0 && mayHaveBeenDropped(position, facts) };
  }
  // A position with sequence 0 is a moment, not a message: it cannot have been dropped.
  if (liesBeforeLoss) return position.seq === 0 ? going('history_lost') : gone('history_lost');
  const outcome = outcomeForUnlisted(position, facts);
  return isOurs && outcome.missing === 'unknown_position' ? { ...outcome, missing: 'history_lost' } : outcome;
}

/** Whether messages after it were dropped, or it was the last one when others were dropped. */
function isBeforeLoss(position: Position, { lost, mark, wentBack }: RoomFacts): boolean {
  if (position.ms < Number(wentBack)) return true;
  // What the new server has numbered was made after the loss, whatever its clock showed.
  const isMadeAfterIt = runOf(position.epoch) === runOf(parsePosition(mark)?.epoch ?? '');
  return !isMadeAfterIt && isAtOrBefore(position, streamPosition(lost));
}

/**
 * Whether the room's history knows this very position. The mark is no message: what came after it may be trimmed by
 * now.
 */
function isThere(
  after: string,
  position: Position,
  { newest, mark, trimmedTo, epochThere }: RoomFacts,
): boolean {
  if ([newest, trimmedTo].includes(after) || epochThere === position.epoch) return true;
  return after === mark && !isAtOrBefore(position, parsePosition(trimmedTo));
}

/** For a position that is not stored. A message never has sequence 0, a moment always has. */
function outcomeForUnlisted(position: Position, facts: RoomFacts): ResumeOutcome {
  const newest = parsePosition(facts.newest);
  const start = parsePosition(facts.floor) ?? newest;
  const absent: ResumeOutcome = mayHaveBeenDropped(position, facts)
    ? { missing: 'history_lost', goesOn: false, isNewLoss: true }
    : gone('unknown_position');
  if (start === undefined || newest === undefined) return gone('unknown_position');
  if (comparePositions(position, newest) > 0) return absent;
  const trimmedTo = parsePosition(facts.trimmedTo);
  const isTrimmed = isAtOrBefore(position, trimmedTo);
  if (comparePositions(position, start) < 0) {
    if (isForgotten(position, facts)) return going('expired');
    // If only messages are left of the room, it is unknown where its history began.
    if (position.seq > 0) return isTrimmed && beginningOf(position.epoch) !== '' ? going('trimmed') : absent;
    const isOnlyMoments = facts.floor === facts.trimmedTo || trimmedTo?.seq === 0;
    return isTrimmed && !isOnlyMoments ? going('trimmed') : complete;
  }
  return isTrimmed ? going('trimmed') : absent;
}

/**
 * Redis can lose all keys of a room while the name of the data stays: they are evicted, or one master of a Cluster
 * loses its data. Then the room has another beginning, or none.
 */
function isOfOtherBeginning({ epoch }: Position, facts: RoomFacts): boolean {
  const named = beginningOf(epoch);
  return named !== '' && named !== beginningOf(facts.epoch);
}

/** The room was removed because it was unused: only messages that had expired are gone. */
function isForgotten({ ms }: Position, { floor, newest }: RoomFacts): boolean {
  const start = parsePosition(floor) ?? parsePosition(newest);
  return start !== undefined && ms < start.ms - POSITION_MS;
}

/** A client can ask with any position; one that no server can have made is not a loss. */
function mayHaveBeenDropped({ epoch, ms }: Position, facts: RoomFacts): boolean {
  return epoch !== facts.epoch && facts.ended !== '' && ms <= Number(facts.ended) + SKEW_MS;
}

/** The same for a moment: why messages since then are missing. */
export function missingSince(ms: number, { lost, trimmedTo, wentBack }: RoomFacts): Missing | undefined {
  const isSince = (position: Position | undefined): boolean =>
    position !== undefined && position.seq > 0 && position.ms >= ms;
  if (ms < Number(wentBack) || isSince(streamPosition(lost))) return 'history_lost';
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

function beginningOf(epoch: string): string {
  return epoch.slice(DATA_LENGTH + RUN_LENGTH);
}

export function runOf(epoch: string): string {
  return epoch.slice(DATA_LENGTH, DATA_LENGTH + RUN_LENGTH);
}
