import {
  beginsAnew,
  type Established,
  establishedIn,
  type Evidence,
  isBefore,
  isGone,
  isPlaced,
  messagesOf,
  nameOf,
  shownTo,
  tellsLoss,
  troublesSince,
  type Violation,
} from './evidence.ts';
import { parsePosition } from '../../src/protocol/position.ts';
import type { Seat } from './seat.ts';

/** No silent gap: what a member did not see it was told to be missing. */
export function judgeGaps(evidence: Evidence): Violation[] {
  const rooms = Map.groupBy(evidence.story.seats, ({ room }) => room);
  return [...rooms].flatMap(([room, seats]) => {
    const established = establishedIn(room, evidence);
    const known = established.filter((one) => isKnown(one, room, evidence));
    const kept = new Set((evidence.histories.get(room) ?? []).map(({ token }) => token));
    return seats.flatMap((seat) => [
      ...between(seat, established),
      ...sinceJoined(seat, known, evidence),
      ...ofKept(seat, kept, evidence),
    ]);
  });
}

/**
 * What the data was lost with is told "as long as one pod lives that has seen a later position or run": not where all
 * that had seen it were killed since.
 */
function isKnown(one: Established, room: string, evidence: Evidence): boolean {
  if (!isGone(one, room, evidence) || troublesSince(one.tick, ['data', 'room'], evidence).length === 0)
    return true;
  const killed = new Set(evidence.story.deaths.filter(({ tick }) => tick > one.tick).map(({ pod }) => pod));
  return [...one.pods].some((pod) => !killed.has(pod));
}

/** Between two messages in a row, or where it began and the first, there is none that the client did not have. */
function between(seat: Seat, established: readonly Established[]): Violation[] {
  const violations: Violation[] = [];
  const had = new Set<string>();
  let last: string | undefined;
  for (const entry of shownTo(seat)) {
    if (beginsAnew(entry)) last = isMoment(entry.position) ? undefined : entry.position;
    else if (tellsLoss(entry)) last = undefined;
    if (entry.kind !== 'message') continue;
    had.add(entry.token);
    if (!isPlaced(entry)) continue;
    const { id } = entry;
    const from = last;
    const missed = established.filter(
      (one) => from !== undefined && isBefore(from, one.id) && isBefore(one.id, id) && !had.has(one.token),
    );
    for (const { token, id: missing } of missed) {
      const text = `${nameOf(seat)} went from ${from} to ${id} and never had ${token} (${missing}) between`;
      violations.push({ kind: 'gap', text, tokens: [token, entry.token] });
    }
    last = id;
  }
  return violations;
}

/** In NATS an empty room has no place among its messages, but a time (docs/adr/0013-history-in-nats.md). */
function isMoment(position: string): boolean {
  return parsePosition(position)?.ms === 0;
}

/** Where a client's membership, which lasts to the end, began. */
function beginningOf(seat: Seat): number | undefined {
  if (seat.state !== 'in') return undefined;
  return seat.entries.findLast(beginsAnew)?.tick;
}

function sentAt(token: string, { story }: Evidence): number {
  return story.publications.get(token)?.sends[0]?.tick ?? 0;
}

/** Whatever was published since a member joined it had, or it was told of a loss after that. */
function sinceJoined(seat: Seat, established: readonly Established[], evidence: Evidence): Violation[] {
  const beginning = beginningOf(seat);
  if (beginning === undefined) return [];
  const had = new Set(messagesOf(seat).map(({ token }) => token));
  const losses = seat.entries.filter(tellsLoss).map(({ tick }) => tick);
  return established
    .filter(({ token }) => !had.has(token))
    .filter(({ token }) => {
      const sent = sentAt(token, evidence);
      return sent > beginning && !losses.some((tick) => tick > sent);
    })
    .map(({ token, id }) => ({
      kind: 'gap',
      text: `${nameOf(seat)} is a member since #${beginning} and never had ${token} (${id}), nor was told so`,
      tokens: [token],
    }));
}

/** Whatever is still kept a member had in any case: all that is kept is replayed when others are lost. */
function ofKept(seat: Seat, kept: ReadonlySet<string>, evidence: Evidence): Violation[] {
  const beginning = beginningOf(seat);
  if (beginning === undefined) return [];
  const had = new Set(messagesOf(seat).map(({ token }) => token));
  return [...kept]
    .filter((token) => !had.has(token) && sentAt(token, evidence) > beginning)
    .map((token) => ({
      kind: 'gap',
      text: `${nameOf(seat)} is a member since #${beginning} and never had ${token}, which is kept`,
      tokens: [token],
    }));
}

/**
 * Whoever had something that went with the data, and goes on in the room, is told: "one from a timeline that a failover
 * dropped, or of a history that has gone back, is `history_lost`, even if nothing is missing". Where an operator has
 * deleted messages nothing after that position is missing, and nothing is said.
 */
export function judgeDropped(evidence: Evidence): Violation[] {
  return evidence.story.seats.flatMap((seat) => {
    if (seat.state !== 'in') return [];
    const beginning = beginningOf(seat) ?? 0;
    const dropped = new Set(
      establishedIn(seat.room, evidence)
        .filter((one) => isGone(one, seat.room, evidence) && isKnown(one, seat.room, evidence))
        .filter((one) => troublesSince(one.tick, ['keys', 'room'], evidence).length === 0)
        .map(({ id }) => id),
    );
    const last = messagesOf(seat).findLast(({ id, tick }) => tick > beginning && dropped.has(id));
    if (last === undefined || seat.entries.some((entry) => tellsLoss(entry) && entry.tick > last.tick))
      return [];
    const text = `${nameOf(seat)} had ${last.token} (${last.id}), which was lost, and was not told so`;
    return [{ kind: 'untold', text, tokens: [last.token] }];
  });
}
