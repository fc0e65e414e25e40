import {
  beginsAnew,
  type Evidence,
  isBefore,
  isPlaced,
  nameOf,
  shownTo,
  tellsLoss,
  type Violation,
} from './evidence.ts';
import type { Seat, Sighting } from './seat.ts';

/**
 * One order per room: positions grow for everybody, and over several epochs nobody contradicts anybody. "The one order per
 * room does not hold for what was provisional": for its place among others, before it has a position.
 */
export function judgeOrder({ story }: Evidence): Violation[] {
  const rooms = Map.groupBy(story.seats, ({ room }) => room);
  return [...rooms.values()].flatMap((seats) => [
    ...seats.flatMap((seat) => growing(seat)),
    ...common(seats),
  ]);
}

/**
 * What a client was shown, between losses it was told of, or joins as somebody new: "all that is kept, if the position
 * itself is gone" may be older than what it had.
 */
function runsOf(seat: Seat): Sighting[][] {
  const runs: Sighting[][] = [[]];
  for (const entry of shownTo(seat)) {
    if (tellsLoss(entry) || beginsAnew(entry) || entry.kind === 'forgot') runs.push([]);
    else if (entry.kind === 'message' && isPlaced(entry)) runs.at(-1)?.push(entry);
  }
  return runs;
}

function pairsOf(seat: Seat): [Sighting, Sighting][] {
  return runsOf(seat).flatMap((run) =>
    run.slice(1).map((later, index): [Sighting, Sighting] => [run[index] ?? later, later]),
  );
}

function growing(seat: Seat): Violation[] {
  return pairsOf(seat)
    .filter(([earlier, later]) => isBefore(later.id, earlier.id))
    .map(([earlier, later]) => ({
      kind: 'order',
      text: `${nameOf(seat)} saw ${later.token} (${later.id}) after ${earlier.token} (${earlier.id})`,
      tokens: [earlier.token, later.token],
    }));
}

/** Looks for a circle in "came before, for somebody". */
function common(seats: readonly Seat[]): Violation[] {
  const after = new Map<string, Set<string>>();
  for (const [earlier, later] of seats.flatMap(pairsOf)) {
    after.set(earlier.id, (after.get(earlier.id) ?? new Set()).add(later.id));
  }
  const done = new Set<string>();
  for (const start of after.keys()) {
    const circle = circleFrom(start, after, done);
    if (circle !== undefined) {
      return [
        { kind: 'order', text: `clients disagree about the order of ${circle.join(' and ')}`, tokens: [] },
      ];
    }
  }
  return [];
}

function circleFrom(
  start: string,
  after: ReadonlyMap<string, ReadonlySet<string>>,
  done: Set<string>,
): string[] | undefined {
  const path: { id: string; next: string[] }[] = [{ id: start, next: [...(after.get(start) ?? [])] }];
  while (path.length > 0) {
    const here = path.at(-1);
    const next = here?.next.pop();
    if (here === undefined || next === undefined) {
      done.add(here?.id ?? '');
      path.pop();
    } else if (path.some(({ id }) => id === next)) return [next, here.id];
    else if (!done.has(next)) path.push({ id: next, next: [...(after.get(next) ?? [])] });
  }
  return undefined;
}
