import {
  beginsAnew,
  type Evidence,
  isLost,
  isPlaced,
  livesOn,
  nameOf,
  type RoomTruth,
  tellsLoss,
  type Violation,
} from './evidence.ts';
import type { Seat } from '../clients/seat.ts';

/** Nothing acked is missing without a word. */
export function judgeGaps(evidence: Evidence): Violation[] {
  return evidence.rooms.flatMap((truth) =>
    truth.seats.flatMap(({ seat }) => [
      ...missing(seat, truth, evidence),
      ...between(seat, truth),
      ...resumedFromLost(seat, truth, evidence),
    ]),
  );
}

/** When the stay of somebody who is there in the end began; undefined for anybody else. */
function beginningOf(seat: Seat): number | undefined {
  return seat.state === 'in' && seat.wanted ? seat.entries.findLast(beginsAnew)?.at : undefined;
}

/** What was published while somebody was a member, and never came to him. */
function missing(seat: Seat, truth: RoomTruth, evidence: Evidence): Violation[] {
  const beginning = beginningOf(seat);
  if (beginning === undefined) return [];
  const had = new Set(
    seat.entries.flatMap((entry) => (entry.kind === 'message' && entry.isNew ? [entry.token] : [])),
  );
  const losses = seat.entries.filter(tellsLoss).map(({ at }) => at);
  const known = new Set([...truth.placed.map(({ token }) => token), ...truth.keptTokens]);
  return [...known].flatMap((token): Violation[] => {
    const publication = evidence.world.ledger.publications.get(token);
    const sent = publication?.attempts[0]?.at ?? 0;
    if (had.has(token) || sent <= beginning) return [];
    if (truth.keptTokens.has(token)) {
      return [
        { kind: 'kept-missing', text: `${nameOf(seat)} never had ${token}, which is kept`, time: sent },
      ];
    }
    const isTold = losses.some((at) => at > sent);
    if (isTold) return [];
    if (!truth.lostTokens.has(token)) {
      return [
        { kind: 'gone-untold', text: `${nameOf(seat)} never had ${token}, nor was told so`, time: sent },
      ];
    }
    // Who never had it, and is on pods that never had it, cannot be told.
    const seenBy = whoSaw(token, truth, evidence).filter(
      (pod) => livesOn(pod, evidence) && seat.entries.some((one) => one.at > sent && one.pod === pod),
    );
    if (seenBy.length === 0) return [];
    const text = `${nameOf(seat)} never had ${token}, which Redis lost and ${seenBy.join(' and ')} had seen, nor was told so`;
    return [{ kind: 'lost-untold', text, time: sent }];
  });
}

/** Pods that knew the position of a message. */
function whoSaw(token: string, { name, seats }: RoomTruth, { world }: Evidence): string[] {
  const publication = world.ledger.publications.get(token);
  const pods = new Set(publication?.room === name ? publication.acks.map(({ pod }) => pod) : []);
  for (const { seat } of seats) {
    for (const entry of seat.entries) if (isPlaced(entry) && entry.token === token) pods.add(entry.pod);
  }
  return [...pods];
}

/** From one message to the next there is none between that was left out. */
function between(seat: Seat, { placed, places }: RoomTruth): Violation[] {
  const violations: Violation[] = [];
  let had = new Set<string>();
  let memory = 0;
  let last: string | undefined;
  for (const entry of seat.entries) {
    if (beginsAnew(entry) || tellsLoss(entry)) last = undefined;
    if (entry.kind !== 'message') continue;
    if (entry.memory !== memory) had = new Set();
    ({ memory } = entry);
    had.add(entry.token);
    if (!isPlaced(entry) || !entry.isNew) continue;
    const from = last;
    for (const { token, id } of placed) {
      if (
        from === undefined ||
        had.has(token) ||
        !places.isBefore(from, id) ||
        !places.isBefore(id, entry.id)
      )
        continue;
      const text = `${nameOf(seat)} went from ${from} to ${entry.id} (${entry.token}) past ${token} (${id})`;
      violations.push({ kind: 'gap', text, time: entry.at });
    }
    last = entry.id;
  }
  return violations;
}

/** Whoever resumes from a position that Redis has lost is told so, as long as a pod lives that had seen it. */
function resumedFromLost(seat: Seat, truth: RoomTruth, evidence: Evidence): Violation[] {
  return seat.entries.flatMap((entry): Violation[] => {
    if (entry.kind !== 'joined' || entry.after === undefined || entry.recovered !== true) return [];
    const { after, at } = entry;
    const token = truth.placed.find(({ id }) => id === after)?.token;
    if (token === undefined || !isLost(after, at, truth)) return [];
    if (truth.kept.some((kept) => kept.token === token && after.endsWith(`.${kept.at}`))) return [];
    const seenBy = whoSaw(token, truth, evidence).filter((pod) => livesOn(pod, evidence));
    if (seenBy.length === 0) return [];
    const text = `${nameOf(seat)} resumed from ${after} (${token}), which Redis lost and ${seenBy.join(' and ')} had seen, and was told recovered`;
    return [{ kind: 'lost-position-recovered', text, time: at }];
  });
}
