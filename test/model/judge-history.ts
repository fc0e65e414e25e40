import {
  establishedIn,
  type Evidence,
  isBefore,
  isEarlier,
  isPlaced,
  mayStandTwice,
  messagesOf,
  nameOf,
  type Violation,
} from './evidence.ts';

/** What was acked is kept; what was refused is nowhere; one message has one position. */
export function judgeHistory(evidence: Evidence): Violation[] {
  const rooms = [...evidence.histories.keys()];
  return [
    ...rooms.flatMap((room) => [...forgotten(room, evidence), ...twofold(room, evidence)]),
    ...refused(evidence),
    ...afterLeaving(evidence),
  ];
}

/** Acked or seen with a position, and neither kept nor trimmed. */
function forgotten(room: string, evidence: Evidence): Violation[] {
  const history = evidence.histories.get(room) ?? [];
  const kept = new Set(history.map(({ id }) => id));
  const isFull = history.length >= evidence.historySize;
  const oldest = history[0]?.id ?? '';
  return establishedIn(room, evidence)
    .filter(({ id }) => !kept.has(id))
    .filter(({ id }) => {
      if (isFull && (evidence.failsOver ? isEarlier(id, oldest) : isBefore(id, oldest))) return false;
      // Whether those who were there were told is judged elsewhere.
      return !evidence.story.losesData;
    })
    .map(({ id, token }) => ({
      text: `${room}: ${token} (${id}) is no longer in the history`,
      tokens: [token],
    }));
}

function twofold(room: string, evidence: Evidence): Violation[] {
  const byToken = Map.groupBy(establishedIn(room, evidence), ({ token }) => token);
  return [...byToken]
    .filter(([, all]) =>
      all.some((one) => all.some((other) => other.id !== one.id && !mayStandTwice(one, other, evidence))),
    )
    .map(([token, all]) => ({
      text: `${room}: ${token} has several positions: ${all.map(({ id }) => id).join(', ')}`,
      tokens: [token],
    }));
}

/** Every attempt was answered `unavailable`. */
function refused(evidence: Evidence): Violation[] {
  const placed = new Set(
    [...evidence.histories.keys()].flatMap((room) => establishedIn(room, evidence)).map(({ token }) => token),
  );
  return [...evidence.story.publications.values()]
    .filter(({ errors, sends, token }) => errors.length === sends.length && placed.has(token))
    .map(({ token }) => ({ text: `${token} was refused, and published all the same`, tokens: [token] }));
}

/** Nobody hears of a room outside of it. */
function afterLeaving({ story }: Evidence): Violation[] {
  return story.seats.flatMap((seat) => {
    let inside = false;
    return seat.entries.flatMap((entry) => {
      if (entry.kind === 'joined') inside = true;
      else if (entry.kind === 'left' || entry.kind === 'cut') inside = false;
      else if (entry.kind === 'message' && !inside) {
        return [{ text: `${nameOf(seat)} had ${entry.token} outside of the room`, tokens: [entry.token] }];
      }
      return [];
    });
  });
}

/** Acks of one message that agree with nobody's deliveries. */
export function judgeAcks({ story }: Evidence): Violation[] {
  const seen = new Map<string, Set<string>>();
  for (const sighting of story.seats.flatMap(messagesOf).filter(isPlaced)) {
    seen.set(sighting.token, (seen.get(sighting.token) ?? new Set()).add(sighting.id));
  }
  return [...story.publications.values()].flatMap(({ token, acks, ephemeral }) => {
    const provisional = ephemeral ? [] : acks.filter(({ id }) => !id.includes('.'));
    return provisional.map(({ id }) => ({
      text: `${token} was acked with ${id}, which is no position`,
      tokens: [token],
    }));
  });
}
