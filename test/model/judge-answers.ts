import { type Evidence, nameOf, type Violation } from './evidence.ts';
import type { Entry, Seat } from './seat.ts';
import type { Trouble } from './story.ts';

/** What is found out late of a fault that is over; a pod looks after at most two seconds without an answer, and pauses. */
const LATE_MS = 15_000;

/** Each answer is given once, and each that is owed is given. */
export function judgeAnswers(evidence: Evidence): Violation[] {
  const { story } = evidence;
  return [
    ...story.seats.flatMap((seat) => [...owed(seat), ...tooMany(seat, story.troubles)]),
    ...unknown(evidence),
    // "A command to Redis without an answer for 2 s counts as Redis away, and so do NOREPLICAS and NOPERM."
    ...story.errors.map((text): Violation => ({ kind: 'error', text, tokens: [] })),
  ];
}

/**
 * "One that never was in the room is `unknown_position`": clients here bring only what they were given. What is lost is
 * `history_lost` "as long as one pod lives that has seen a later position or run". In a Cluster the master that knows of
 * the run may be away as well (docs/adr/0012-redis-cluster.md).
 */
function unknown({ story, isCluster }: Evidence): Violation[] {
  // Where an operator deleted what is known of a room, that it never was is true.
  const isForgotten = story.troubles.some(({ effect }) => effect === 'room');
  if (isCluster || isForgotten || story.deaths.length > 0) return [];
  return story.seats.flatMap((seat) => {
    const told = seat.entries.find((entry) => 'reason' in entry && entry.reason === 'unknown_position');
    if (told === undefined) return [];
    return [
      { kind: 'reason', text: `${nameOf(seat)} was told unknown_position at #${told.tick}`, tokens: [] },
    ];
  });
}

/**
 * "Reason `unavailable`, and a `recovered` event follows when the stream can be read": what history cannot be read for is
 * told later, while the connection lives.
 */
function owed(seat: Seat): Violation[] {
  let owing: Entry | undefined;
  for (const entry of seat.entries) {
    if (entry.kind === 'joined') owing = entry.reason === 'unavailable' ? entry : undefined;
    else if (entry.kind !== 'message' && entry.kind !== 'forgot') owing = undefined;
  }
  if (owing === undefined) return [];
  const text = `${nameOf(seat)} was owed a recovered event since #${owing.tick}`;
  return [{ kind: 'owed', text, tokens: [] }];
}

/**
 * "`history_lost` is said once for each resumption on a socket", and once to those who are there for each time that data
 * was lost; no gap is told more often than something was broken.
 */
function tooMany(seat: Seat, troubles: readonly Trouble[]): Violation[] {
  const connections = Map.groupBy(seat.entries, ({ line }) => line);
  return [...connections.values()].flatMap((entries) => {
    const joins = entries.filter(({ kind }) => kind === 'joined').length;
    const from = (entries[0]?.ms ?? 0) - LATE_MS;
    const lived = troubles.filter(({ until }) => until === undefined || until.ms > from);
    const lossy = lived.filter(({ effect }) => effect === 'data' || effect === 'room');
    const lost = entries.filter((entry) => 'reason' in entry && entry.reason === 'history_lost').length;
    const events = entries.filter(({ kind }) => kind === 'recovered').length;
    const where = `${nameOf(seat)}, connection ${entries[0]?.line} with ${joins} joins,`;
    const most = joins + lived.length;
    return [
      ...(lost > joins + lossy.length
        ? [`${where} was told history_lost ${lost} times, ${lossy.length} times data was lost`]
        : []),
      ...(events > most ? [`${where} was told recovered ${events} times, of ${lived.length} faults`] : []),
    ].map((text): Violation => ({ kind: 'unbounded', text, tokens: [] }));
  });
}
