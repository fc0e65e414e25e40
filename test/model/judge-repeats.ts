import {
  establishedIn,
  type Established,
  type Evidence,
  mayStandTwice,
  messagesOf,
  nameOf,
  shownTo,
  tellsLoss,
  type Violation,
} from './evidence.ts';
import type { Seat, Sighting } from './seat.ts';

/** Nothing twice: on what a client library shows, and on one connection for any client. */
export function judgeRepeats(evidence: Evidence): Violation[] {
  const rooms = Map.groupBy(evidence.story.seats, ({ room }) => room);
  return [...rooms].flatMap(([room, seats]) => {
    const places = Map.groupBy(establishedIn(room, evidence), ({ token }) => token);
    return seats.flatMap((seat) => [
      ...perMessage(seat, places, evidence),
      ...perConnection(seat),
      ...ephemeral(seat),
    ]);
  });
}

/** What was published anew, since Redis has lost the first, is another message. */
function perMessage(
  seat: Seat,
  places: ReadonlyMap<string, readonly Established[]>,
  evidence: Evidence,
): Violation[] {
  const had = new Map<string, Sighting>();
  const violations: Violation[] = [];
  for (const entry of shownTo(seat)) {
    if (entry.kind === 'forgot') had.clear();
    if (entry.kind !== 'message' || entry.ephemeral) continue;
    const before = had.get(entry.token);
    if (before !== undefined && !isAnother(before, entry, places.get(entry.token) ?? [], evidence)) {
      const text = `${nameOf(seat)} had ${entry.token} twice: as ${told(before)}, then as ${told(entry)}`;
      violations.push({ kind: 'twice', text, tokens: [entry.token] });
    }
    had.set(entry.token, entry);
  }
  return violations;
}

function isAnother(
  before: Sighting,
  now: Sighting,
  places: readonly Established[],
  evidence: Evidence,
): boolean {
  const [first, second] = [before, now].map(({ id }) => places.find((one) => one.id === id));
  if (first === undefined) return false;
  // Its next place is not known where it is provisional again.
  return mayStandTwice(first, second ?? { ...first, tick: now.tick }, evidence);
}

/**
 * "What is kept after the position is then replayed (all that is kept, if the position itself is gone)": after a loss,
 * or a join, that may be what the connection was given before. What it had provisionally it may be given with its
 * position ("so that whoever had it can drop it"), but no id twice.
 */
function perConnection(seat: Seat): Violation[] {
  const violations: Violation[] = [];
  let known = new Set<string>();
  let line = 0;
  for (const entry of seat.entries) {
    if (entry.line !== line || tellsLoss(entry) || entry.kind === 'joined') known = new Set();
    line = entry.line;
    if (entry.kind !== 'message') continue;
    if (known.has(entry.id)) {
      const text = `${nameOf(seat)} was given ${entry.token} twice on one connection, then as ${told(entry)}`;
      violations.push({ kind: 'twice', text, tokens: [entry.token] });
    }
    known.add(entry.id);
  }
  return violations;
}

/**
 * Once on a connection; "a client that moved to another pod while Redis was unavailable may receive it there as well, with
 * the same `id`" (docs/protocol.md, "Ephemeral messages").
 */
function ephemeral(seat: Seat): Violation[] {
  const had = new Map<string, Sighting>();
  const twice = messagesOf(seat).filter((sighting) => {
    if (!sighting.ephemeral) return false;
    const before = had.get(sighting.token);
    had.set(sighting.token, sighting);
    return before !== undefined && (before.line === sighting.line || before.id !== sighting.id);
  });
  return twice.map(({ token }) => ({
    kind: 'twice',
    text: `${nameOf(seat)} had ephemeral ${token} twice`,
    tokens: [token],
  }));
}

function told({ id, provisional, provisionalId, line, pod }: Sighting): string {
  const kind = provisional ? 'provisional ' : '';
  return `${kind}${id}${provisionalId === undefined ? '' : ` (was ${provisionalId})`} on ${pod}, connection ${line}`;
}
