import { beginsAnew, type Evidence, nameOf, type Places, tellsLoss, type Violation } from './evidence.ts';
import { isShownPlaced } from './repeats.ts';
import type { Seat, Sighting } from '../clients/seat.ts';

/** One order for a room: positions grow for everybody, nobody contradicts anybody, and a speaker's own order holds. */
export function judgeOrder(evidence: Evidence): Violation[] {
  return evidence.rooms.flatMap(({ name, seats, places }) => {
    const pairs = seats.flatMap(({ seat }) => pairsOf(seat));
    return [...seats.flatMap(({ seat }) => growing(seat, places)), ...contradictions(name, pairs)];
  });
}

/** What came one after the other, but for where something was lost or somebody began anew. */
function pairsOf(seat: Seat): [Sighting, Sighting][] {
  const pairs: [Sighting, Sighting][] = [];
  let last: Sighting | undefined;
  for (const entry of seat.entries) {
    if (tellsLoss(entry) || beginsAnew(entry)) last = undefined;
    if (!isShownPlaced(entry)) continue;
    if (last !== undefined) pairs.push([last, entry]);
    last = entry;
  }
  return pairs;
}

function growing(seat: Seat, places: Places): Violation[] {
  return pairsOf(seat)
    .filter(([earlier, later]) => places.isBefore(later.id, earlier.id))
    .map(([earlier, later]) => ({
      kind: 'out-of-order',
      text: `${nameOf(seat)} saw ${later.token} (${later.id}) after ${earlier.token} (${earlier.id})`,
      time: later.at,
    }));
}

/** Looks for a circle in "came before, for somebody". */
function contradictions(room: string, pairs: readonly [Sighting, Sighting][]): Violation[] {
  const after = new Map<string, Set<string>>();
  for (const [earlier, later] of pairs) {
    after.set(earlier.token, (after.get(earlier.token) ?? new Set()).add(later.token));
  }
  const done = new Set<string>();
  for (const start of after.keys()) {
    const circle = circleFrom(start, after, done);
    if (circle === undefined) continue;
    return [
      { kind: 'two-orders', text: `${room}: clients disagree about the order of ${circle.join(' and ')}` },
    ];
  }
  return [];
}

function circleFrom(
  start: string,
  after: ReadonlyMap<string, ReadonlySet<string>>,
  done: Set<string>,
): string[] | undefined {
  const path = [{ token: start, next: [...(after.get(start) ?? [])] }];
  for (;;) {
    const here = path.at(-1);
    if (here === undefined) return undefined;
    const next = here.next.pop();
    if (next === undefined) {
      done.add(here.token);
      path.pop();
    } else if (path.some(({ token }) => token === next)) return [next, here.token];
    else if (!done.has(next)) path.push({ token: next, next: [...(after.get(next) ?? [])] });
  }
}
