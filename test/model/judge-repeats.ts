import {
  establishedIn,
  type Evidence,
  firstSightings,
  isPlaced,
  mayStandTwice,
  messagesOf,
  nameOf,
  tellsLoss,
  type Violation,
} from './evidence.ts';
import { SETTINGS } from './settings.ts';
import type { Seat, Sighting } from './seat.ts';

/** Nothing twice: for the client that drops what it had, and on one connection for any client. */
export function judgeRepeats(evidence: Evidence): Violation[] {
  return evidence.story.seats.flatMap((seat) => [
    ...perMessage(seat, evidence),
    ...perConnection(seat, evidence),
    ...ephemeral(seat),
  ]);
}

/**
 * What was published anew, since Redis has lost the first, is another message.
 *
 * Known to be open, and told only with MODEL_STRICT: a message that Redis took while the pod that had it (or another
 * that is given it again) could not hear so. Those who had it from history, or from other pods, had it without its
 * provisional id, and cannot tell that it is the one that such a pod gives, or gave, them provisionally.
 */
function perMessage(seat: Seat, evidence: Evidence): Violation[] {
  const had = new Map<string, Sighting>();
  const violations: Violation[] = [];
  for (const entry of firstSightings(seat).fresh) {
    if (entry.kind !== 'message') continue;
    const before = had.get(entry.token);
    const isAnother =
      before !== undefined && isPlaced(before) && isPlaced(entry) && mayStandTwice(before, entry, evidence);
    const isOpen = before !== undefined && isPlaced(before) !== isPlaced(entry) && !entry.ephemeral;
    if (before !== undefined && !isAnother && !(isOpen && !SETTINGS.strict)) {
      const text = `${nameOf(seat)} had ${entry.token} twice: as ${told(before)}, then as ${told(entry)}`;
      violations.push({ text, tokens: [entry.token] });
    }
    had.set(entry.token, entry);
  }
  return violations;
}

/**
 * Only where messages were lost is all that is kept told again. Known to be open: a pod does not remember that its
 * members have had a message when it is given it again, with its ref, while Redis is away.
 */
function perConnection(seat: Seat, evidence: Evidence): Violation[] {
  const violations: Violation[] = [];
  let known = new Set<string>();
  let line = 0;
  for (const entry of seat.entries) {
    if (entry.line !== line || tellsLoss(entry) || entry.kind === 'joined') known = new Set();
    line = entry.line;
    if (entry.kind !== 'message') continue;
    const isRepeat = known.has(entry.id) || known.has(entry.provisionalId ?? entry.id);
    const isOpen = entry.provisional || standsTwice(entry, evidence);
    if (isRepeat && !(isOpen && !SETTINGS.strict)) {
      const text = `${nameOf(seat)} was given ${entry.token} twice on one connection, then as ${told(entry)}`;
      violations.push({ text, tokens: [entry.token] });
    }
    known.add(entry.id);
  }
  return violations;
}

/** It was published twice, as some may be (evidence.ts). */
function standsTwice({ token, id }: Sighting, evidence: Evidence): boolean {
  const room = evidence.story.publications.get(token)?.room ?? '';
  return establishedIn(room, evidence).some((one) => one.token === token && one.id !== id);
}

/** Once on a connection; who has gone to another pod while it was on its way may be given it there, by the same id. */
function ephemeral(seat: Seat): Violation[] {
  const had = new Map<string, Sighting>();
  const twice = messagesOf(seat).filter((sighting) => {
    if (!sighting.ephemeral) return false;
    const before = had.get(sighting.token);
    had.set(sighting.token, sighting);
    return before !== undefined && (before.line === sighting.line || before.id !== sighting.id);
  });
  return twice.map(({ token }) => ({
    text: `${nameOf(seat)} had ephemeral ${token} twice`,
    tokens: [token],
  }));
}

function told({ id, provisional, provisionalId, line, pod }: Sighting): string {
  const kind = provisional ? 'provisional ' : '';
  return `${kind}${id}${provisionalId === undefined ? '' : ` (was ${provisionalId})`} on ${pod}, connection ${line}`;
}
