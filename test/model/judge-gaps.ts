import {
  beginsAnew,
  type Established,
  establishedIn,
  type Evidence,
  firstSightings,
  isDropped,
  isBefore,
  isPlaced,
  messagesOf,
  nameOf,
  tellsLoss,
  type Violation,
} from './evidence.ts';
import type { Entry, Seat } from './seat.ts';

/** No silent gap: what a member did not see it was told to be missing. */
export function judgeGaps(evidence: Evidence): Violation[] {
  const rooms = Map.groupBy(evidence.story.seats, ({ room }) => room);
  return [...rooms].flatMap(([room, seats]) => {
    const all = establishedIn(room, evidence);
    const established = all.filter((one) => isDropped(one, room, evidence) === false);
    const kept = new Set((evidence.histories.get(room) ?? []).map(({ token }) => token));
    return seats.flatMap((seat) => [
      ...between(seat, established),
      ...sinceJoined(seat, established, evidence),
      ...ofKept(seat, kept, evidence),
    ]);
  });
}

/** Between two messages in a row, or where it began and the first, there is none that the client did not have. */
function between(seat: Seat, established: readonly Established[]): Violation[] {
  const violations: Violation[] = [];
  const had = new Set<string>();
  let last: string | undefined;
  for (const entry of firstSightings(seat).fresh) {
    if (beginsAnew(entry)) last = entry.position;
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
      violations.push({ text, tokens: [token, entry.token] });
    }
    last = id;
  }
  return violations;
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
      text: `${nameOf(seat)} is a member since #${beginning} and never had ${token}, which is kept`,
      tokens: [token],
    }));
}

/**
 * What a failover dropped nobody can bring back, and who never had any of it cannot be told. But whoever had some of
 * it, and goes on in the room, is told.
 */
export function judgeDropped(evidence: Evidence): Violation[] {
  return evidence.story.seats.flatMap((seat) => {
    if (seat.state !== 'in') return [];
    const beginning = beginningOf(seat) ?? 0;
    const dropped = new Set(
      establishedIn(seat.room, evidence)
        .filter((one) => isDropped(one, seat.room, evidence) === true)
        .map(({ id }) => id),
    );
    const last = messagesOf(seat).findLast(({ id, tick }) => tick > beginning && dropped.has(id));
    if (last === undefined || seat.entries.some((entry) => tellsLoss(entry) && entry.tick > last.tick))
      return [];
    const text = `${nameOf(seat)} had ${last.token} (${last.id}), which a failover dropped, and was not told so`;
    return [{ text, tokens: [last.token] }];
  });
}

/** An answer that history cannot be read at present is followed by what became of it, while the connection lives. */
export function judgeOwed({ story }: Evidence): Violation[] {
  return story.seats.flatMap((seat) => {
    let owed: Entry | undefined;
    for (const entry of seat.entries) {
      if (entry.kind === 'joined') owed = entry.reason === 'unavailable' ? entry : undefined;
      else if (entry.kind !== 'message') owed = undefined;
    }
    if (owed === undefined) return [];
    return [{ text: `${nameOf(seat)} was owed a recovered event since #${owed.tick}`, tokens: [] }];
  });
}
