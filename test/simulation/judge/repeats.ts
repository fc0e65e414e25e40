import {
  type Evidence,
  isPlaced,
  mayStandTwice,
  nameOf,
  type RoomTruth,
  tellsLoss,
  type Violation,
} from './evidence.ts';
import type { Seat, Sighting } from '../clients/seat.ts';

/** Nothing twice: for a client that drops what it had, and on one connection for any client. */
export function judgeRepeats(evidence: Evidence): Violation[] {
  return evidence.rooms.flatMap((truth) => [
    ...truth.seats.flatMap(({ seat }) => [...twiceShown(seat, truth, evidence), ...twiceOnOneLine(seat)]),
    ...twoPositions(truth, evidence),
  ]);
}

function twiceShown(seat: Seat, truth: RoomTruth, evidence: Evidence): Violation[] {
  const violations: Violation[] = [];
  const had = new Map<string, Sighting>();
  for (const entry of seat.entries) {
    if (entry.kind !== 'message' || !entry.isNew) continue;
    const before = had.get(entry.token);
    had.set(entry.token, entry);
    if (before === undefined || before.memory !== entry.memory) continue;
    if (entry.ephemeral ? before.line !== entry.line : mayStandTwice(entry.token, truth, evidence)) continue;
    const kind = entry.ephemeral ? 'ephemeral-twice' : 'twice';
    violations.push({
      kind,
      text: `${nameOf(seat)} had ${entry.token} twice: ${told(before)}, then ${told(entry)}`,
      time: entry.at,
    });
  }
  return violations;
}

function told({ id, provisional, provisionalId, pod, line }: Sighting): string {
  const earlier = provisionalId === undefined ? '' : ` (was ${provisionalId})`;
  return `${provisional ? 'provisionally ' : ''}as ${id}${earlier} on ${pod}, connection ${line}`;
}

/** Only where messages were lost, or with a join, is what is kept told again. */
function twiceOnOneLine(seat: Seat): Violation[] {
  const violations: Violation[] = [];
  let known = new Set<string>();
  let line = 0;
  for (const entry of seat.entries) {
    if (entry.line !== line || entry.kind === 'joined' || tellsLoss(entry)) known = new Set();
    line = entry.line;
    if (entry.kind !== 'message') continue;
    const { id, provisionalId, token, at } = entry;
    if (known.has(id) || (provisionalId !== undefined && known.has(provisionalId))) {
      const text = `${nameOf(seat)} was given ${token} twice on one connection, at last ${told(entry)}`;
      violations.push({ kind: 'twice-on-a-line', text, time: at });
    }
    known.add(id);
    if (provisionalId !== undefined) known.add(provisionalId);
  }
  return violations;
}

/** One message has one position. */
function twoPositions(truth: RoomTruth, evidence: Evidence): Violation[] {
  const byToken = Map.groupBy(
    [...truth.placed, ...truth.kept.map(({ token, at, epoch }) => ({ token, id: fullId(truth, epoch, at) }))],
    ({ token }) => token,
  );
  return [...byToken].flatMap(([token, all]): Violation[] => {
    const ids = [...new Set(all.map(({ id }) => id))];
    if (token === '?' || ids.length < 2 || mayStandTwice(token, truth, evidence)) return [];
    return [{ kind: 'two-positions', text: `${truth.name}: ${token} stands at ${ids.join(' and ')}` }];
  });
}

/** As it was told to somebody, if it was. */
function fullId({ placed }: RoomTruth, epoch: string, at: string): string {
  return (
    placed.find(({ id }) => id.startsWith(`${epoch}.`) && id.endsWith(`.${at}`))?.id ?? `${epoch}.?.${at}`
  );
}

export function isShownPlaced(entry: Seat['entries'][number]): entry is Sighting {
  return isPlaced(entry) && entry.isNew;
}
