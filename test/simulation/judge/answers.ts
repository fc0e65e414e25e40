import { type Evidence, isPosition, nameOf, type RoomTruth, type Violation } from './evidence.ts';
import type { Publication } from '../clients/ledger.ts';
import type { Seat } from '../clients/seat.ts';
import type { World } from '../world.ts';

/** A client that has waited for so long for an answer waits in vain. */
const PATIENCE_MS = 5_000;

/** Whoever asks is answered, and the answers are true. */
export function judgeAnswers(evidence: Evidence): Violation[] {
  const { world } = evidence;
  return [
    ...world.clients.flatMap((client) => [
      ...(client.line?.isOpen === true
        ? []
        : [{ kind: 'not-connected', text: `${client.name} has no connection` }]),
      ...[...client.unacked.values()].map((one) => {
        const { token } = 'publication' in one ? one.publication : one;
        return { kind: 'unacked', text: `${client.name} has no ack for ${token}` };
      }),
      ...('unanswered' in client
        ? [...client.unanswered.values()]
            .filter(({ at }) => at < world.kernel.time - PATIENCE_MS)
            .map(({ what, room }) => ({
              kind: 'unanswered',
              text: `${client.name} has no answer to ${what} ${room}`,
            }))
        : []),
      ...client.seats
        .filter(({ state, wanted }) => (state === 'in') !== wanted)
        .map((seat) => ({
          kind: 'not-seated',
          text: `${nameOf(seat)} is ${seat.state}, and wants to be ${seat.wanted ? 'in' : 'out'}`,
        })),
      ...client.seats.flatMap(owed),
    ]),
    ...acks(evidence),
    ...falseAlarms(evidence),
  ];
}

/** `unavailable` is followed by `recovered`, as long as the connection and the membership last. */
function owed(seat: Seat): Violation[] {
  let since: number | undefined;
  for (const entry of seat.entries) {
    if (entry.kind === 'joined') since = entry.reason === 'unavailable' ? entry.at : undefined;
    else if (
      entry.kind === 'recovered' ||
      entry.kind === 'left' ||
      entry.kind === 'cut' ||
      entry.kind === 'leaving'
    )
      since = undefined;
  }
  return since === undefined
    ? []
    : [{ kind: 'owed-recovered', text: `${nameOf(seat)} is owed a recovered event`, time: since }];
}

/** What was acked has a position that history has, or had before something befell it; what was refused is nowhere. */
function acks({ world, rooms, historySize }: Evidence): Violation[] {
  return [...world.ledger.publications.values()].flatMap((publication): Violation[] => {
    const { token, ephemeral, room, errors, attempts } = publication;
    const truth = rooms.find(({ name }) => name === room);
    if (truth === undefined || ephemeral) return [];
    const internal = errors.filter(({ code }) => code === 'internal');
    const wrong: Violation[] = internal.map(({ at }) => ({
      kind: 'internal',
      text: `${token} was answered internal`,
      time: at,
    }));
    const isKnown = truth.keptTokens.has(token) || truth.placed.some((one) => one.token === token);
    if (attempts.length > 0 && errors.length === attempts.length && isKnown) {
      const codes = errors.map(({ code }) => code).join();
      const text = `${token} was refused (${codes}), and published all the same`;
      wrong.push({ kind: 'refused-and-published', text });
    }
    for (const { id, at } of publication.acks) {
      if (!isPosition(id))
        wrong.push({ kind: 'acked-without-position', text: `${token} was acked as ${id}`, time: at });
      else if (isGone(publication, truth, world, historySize)) {
        wrong.push({
          kind: 'acked-and-gone',
          text: `${token} was acked as ${id}, and history does not have it`,
          time: at,
        });
      }
    }
    return wrong;
  });
}

/**
 * Neither kept nor lost, nor trimmed: the history was never full when it was looked at, since it was published. A client
 * may read late that it was taken.
 */
function isGone(
  { token, attempts }: Publication,
  truth: RoomTruth,
  world: World,
  historySize: number,
): boolean {
  const since = attempts[0]?.at ?? 0;
  if (truth.kept.length >= historySize || truth.keptTokens.has(token) || truth.lostTokens.has(token))
    return false;
  return !world.redis.losses.had.some(
    ({ room, time, tokens }) => room === truth.name && time > since && tokens.size >= historySize,
  );
}

/** Nobody is told of a loss where nothing was lost. */
function falseAlarms({ world, rooms, historySize }: Evidence): Violation[] {
  if (world.redis.losses.any) return unknownPositions(world, rooms);
  return rooms.flatMap(({ seats, placed }) =>
    seats.flatMap(({ seat }) =>
      seat.entries.flatMap((entry): Violation[] => {
        if (entry.kind !== 'joined' && entry.kind !== 'recovered') return [];
        const { reason, at } = entry;
        if (reason === undefined || reason === 'unavailable') return [];
        if (reason === 'trimmed' && placed.length >= historySize) return [];
        return [
          { kind: 'false-alarm', text: `${nameOf(seat)} was told ${reason}, and nothing was lost`, time: at },
        ];
      }),
    ),
  );
}

/** Clients make no positions up: each was in the room once, unless what tells so is gone. */
function unknownPositions({ plan }: World, rooms: readonly RoomTruth[]): Violation[] {
  if (plan.faults.some(({ kind }) => kind === 'key-is-gone')) return [];
  return rooms.flatMap(({ seats }) =>
    seats.flatMap(({ seat }) =>
      seat.entries.flatMap((entry): Violation[] => {
        if (!('reason' in entry) || entry.reason !== 'unknown_position') return [];
        const text = `${nameOf(seat)} was told unknown_position of a position that was in the room`;
        return [{ kind: 'unknown-position', text, time: entry.at }];
      }),
    ),
  );
}
