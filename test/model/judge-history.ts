import {
  establishedIn,
  type Evidence,
  isBefore,
  isGone,
  mayStandTwice,
  messagesOf,
  troublesSince,
  nameOf,
  type Violation,
} from './evidence.ts';

/** What was acked is kept; what was refused is nowhere; one message has one position. */
export function judgeHistory(evidence: Evidence): Violation[] {
  const rooms = [...evidence.histories.keys()];
  return [
    ...rooms.flatMap((room) => [
      ...forgotten(room, evidence),
      ...twofold(room, evidence),
      ...unnamed(room, evidence),
      ...untimely(room, evidence),
    ]),
    ...refused(evidence),
    ...afterLeaving(evidence),
    ...acks(evidence),
  ];
}

/**
 * Acked or seen with a position, and neither kept nor trimmed, though nothing was broken since it was sent that may lose
 * it: what befalls it may come before anybody hears of it.
 */
function forgotten(room: string, evidence: Evidence): Violation[] {
  return establishedIn(room, evidence)
    .filter((one) => isGone(one, room, evidence))
    .filter(({ sent }) => troublesSince(sent, ['data', 'keys', 'room'], evidence).length === 0)
    .map(({ id, token }) => ({
      kind: 'history',
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
      kind: 'history',
      text: `${room}: ${token} has several positions: ${all.map(({ id }) => id).join(', ')}`,
      tokens: [token],
    }));
}

/** "In recovery, replay and history pages a message names its `provisional_id` whenever any pod may have delivered it provisionally." */
function unnamed(room: string, { story, histories }: Evidence): Violation[] {
  const seats = story.seats.filter((seat) => seat.room === room);
  const provisional = new Map(
    seats.flatMap((seat) =>
      messagesOf(seat)
        .filter((one) => one.provisional)
        .map(({ token, id }) => [token, id] as const),
    ),
  );
  return (histories.get(room) ?? [])
    .filter(({ token, provisionalId }) => {
      const id = provisional.get(token);
      return id !== undefined && id !== provisionalId;
    })
    .map(({ token, id, provisionalId }) => ({
      kind: 'unnamed',
      text: `${room}: history has ${token} as ${id} and was ${provisionalId}, but it was given as ${provisional.get(token)}`,
      tokens: [token],
    }));
}

/** "A publisher's order holds for what was not refused": what was sent once, on one connection, stands in that order. */
function untimely(room: string, evidence: Evidence): Violation[] {
  const { publications } = evidence.story;
  const sent = establishedIn(room, evidence).flatMap(({ token, id }) => {
    const [send, ...again] = publications.get(token)?.sends ?? [];
    return send === undefined || again.length > 0 || send.line === 0 ? [] : [{ token, id, send }];
  });
  return [...Map.groupBy(sent, ({ send }) => send.line).values()].flatMap((all) => {
    const inOrder = all.sort((a, b) => a.send.tick - b.send.tick);
    return inOrder.slice(1).flatMap((later, index): Violation[] => {
      const earlier = inOrder[index];
      if (earlier === undefined || !isBefore(later.id, earlier.id)) return [];
      const text = `${room}: ${earlier.token} (${earlier.id}) was sent before ${later.token} (${later.id})`;
      return [{ kind: 'order', text, tokens: [earlier.token, later.token] }];
    });
  });
}

/** Every attempt was answered `unavailable`. */
function refused(evidence: Evidence): Violation[] {
  const placed = new Set(
    [...evidence.histories.keys()].flatMap((room) => establishedIn(room, evidence)).map(({ token }) => token),
  );
  return [...evidence.story.publications.values()]
    .filter(({ errors, sends, token }) => errors.length === sends.length && placed.has(token))
    .map(({ token }) => ({
      kind: 'history',
      text: `${token} was refused, and published all the same`,
      tokens: [token],
    }));
}

/** Nobody hears of a room outside of it. */
function afterLeaving({ story }: Evidence): Violation[] {
  return story.seats.flatMap((seat) => {
    let inside = false;
    return seat.entries.flatMap((entry): Violation[] => {
      if (entry.kind === 'joined') inside = true;
      else if (entry.kind === 'left' || entry.kind === 'cut') inside = false;
      else if (entry.kind === 'message' && !inside) {
        const text = `${nameOf(seat)} had ${entry.token} outside of the room`;
        return [{ kind: 'history', text, tokens: [entry.token] }];
      }
      return [];
    });
  });
}

/** An ack of what is kept names its position. */
function acks({ story }: Evidence): Violation[] {
  return [...story.publications.values()].flatMap(({ token, acks: answers, ephemeral }) => {
    const provisional = ephemeral ? [] : answers.filter(({ id }) => !id.includes('.'));
    return provisional.map(({ id }): Violation => ({
      kind: 'history',
      text: `${token} was acked with ${id}, which is no position`,
      tokens: [token],
    }));
  });
}
