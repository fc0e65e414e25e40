import { comparePositions, parsePosition, type Position } from '../../../src/protocol/position.ts';
import type { Client, World } from '../world.ts';
import type { Entry, JoinedEntry, Seat, Sighting } from '../clients/seat.ts';
import type { Gone, Kept, Loss } from '../losses.ts';
import type { Played } from '../play.ts';
import { ROOMS } from '../plan/plan.ts';

/** Whatever broke a promise. */
export interface Violation {
  /** The same word for the same kind, so that a run that is cut down is known to show the same. */
  readonly kind: string;
  readonly text: string;
  /** When it showed, in virtual milliseconds, where that is known. */
  readonly time?: number | undefined;
}

/** Where a message is known to stand in a room. */
export interface Placed {
  readonly token: string;
  readonly id: string;
}

/** What is known of a room from outside. */
export interface RoomTruth {
  readonly name: string;
  readonly kept: readonly Kept[];
  readonly keptTokens: ReadonlySet<string>;
  readonly lost: readonly Loss[];
  /** Also of those that had been trimmed from what went back. */
  readonly lostTokens: ReadonlySet<string>;
  /** Every position that anybody was told, by an ack or with the message. */
  readonly placed: readonly Placed[];
  readonly places: Places;
  readonly seats: readonly { readonly client: Client; readonly seat: Seat }[];
}

export interface Evidence extends Played {
  readonly rooms: readonly RoomTruth[];
  readonly historySize: number;
}

export function evidenceOf(played: Played): Evidence {
  const { world } = played;
  return {
    ...played,
    rooms: ROOMS.map((name) => truthOf(world, name)),
    historySize: world.config.values.HISTORY_SIZE,
  };
}

function truthOf(world: World, name: string): RoomTruth {
  const kept = world.redis.kept(name);
  const lost = world.redis.losses.all.filter(({ room }) => room === name);
  const seats = world.clients.map((client) => ({ client, seat: client.seat(name) }));
  const placed = new Map<string, Placed>();
  for (const { token, room, ephemeral, acks } of world.ledger.publications.values()) {
    if (room === name && !ephemeral)
      for (const { id } of acks) if (isPosition(id)) placed.set(id, { id, token });
  }
  for (const { seat } of seats) {
    for (const entry of seat.entries)
      if (isPlaced(entry)) placed.set(entry.id, { id: entry.id, token: entry.token });
  }
  const gone = world.redis.losses.gone.filter(({ room }) => room === name);
  const trimmed = [...placed.values()].filter(({ id }) => gone.some((part) => isIn(id, part)));
  return {
    name,
    kept,
    keptTokens: new Set(kept.map(({ token }) => token)),
    lost,
    lostTokens: new Set([...lost, ...trimmed].map(({ token }) => token)),
    placed: [...placed.values()],
    places: new Places(),
    seats,
  };
}

function isIn(id: string, { after, upTo }: Gone): boolean {
  return isAfter(id, after) && !isAfter(id, upTo);
}

/** By their times alone: one history goes on from server to server. */
function isAfter(id: string, other: string | undefined): boolean {
  const [a, b] = [parsePosition(id), parsePosition(other ?? '')];
  return a !== undefined && (b === undefined || comparePositions(a, b) > 0);
}

export function isPosition(id: string): boolean {
  return parsePosition(id) !== undefined;
}

export function isPlaced(entry: Entry): entry is Sighting {
  return entry.kind === 'message' && !entry.provisional && !entry.ephemeral;
}

/** A client was told that messages are missing, or may be. */
export function tellsLoss(entry: Entry): boolean {
  return (
    (entry.kind === 'joined' || entry.kind === 'recovered') &&
    entry.recovered === false &&
    entry.reason !== 'unavailable'
  );
}

export function beginsAnew(entry: Entry): entry is JoinedEntry {
  return entry.kind === 'joined' && entry.after === undefined;
}

/** Compares positions, and reads each of them once. */
export class Places {
  readonly #known = new Map<string, Position | undefined>();

  /** Of two positions of one epoch, whether the first is earlier. */
  isBefore(one: string, other: string): boolean {
    const [a, b] = [this.#of(one), this.#of(other)];
    return a !== undefined && b !== undefined && a.epoch === b.epoch && comparePositions(a, b) < 0;
  }

  #of(id: string): Position | undefined {
    if (!this.#known.has(id)) this.#known.set(id, parsePosition(id));
    return this.#known.get(id);
  }
}

/**
 * Whether this position was in a history that went back a second before that moment, so that pods could know, and has not
 * come back by then with a later snapshot; what was only evicted had its place.
 */
export function isLost(id: string, moment: number, { lost }: RoomTruth): boolean {
  return lost.some(
    ({ at, epoch, time, wentBack, backAt = Number.POSITIVE_INFINITY }) =>
      wentBack &&
      time < moment - 1_000 &&
      backAt > moment &&
      id.startsWith(`${epoch}.`) &&
      id.endsWith(`.${at}`),
  );
}

export function nameOf(seat: Seat): string {
  return `${seat.client} in ${seat.room}`;
}

/** A pod that is still there. */
export function livesOn(pod: string, { world }: Evidence): boolean {
  return world.slots.some((slot) => slot.pod.name === pod && !slot.pod.strand.dead);
}

/**
 * Whether a message may stand in two places: what befell a server took the first away, or it has no ref and there are
 * so many between the two that the first had been trimmed when the pod looked for it.
 */
export function mayStandTwice(token: string, truth: RoomTruth, { world, historySize }: Evidence): boolean {
  if (truth.lostTokens.has(token)) return true;
  const publication = world.ledger.publications.get(token);
  if (publication === undefined || publication.ref !== undefined) return false;
  const [first, second] = truth.placed.filter((one) => one.token === token).map(({ id }) => id);
  if (first === undefined || second === undefined) return false;
  const { places } = truth;
  const between = truth.placed.filter(
    ({ id }) =>
      (places.isBefore(first, id) && places.isBefore(id, second)) ||
      (places.isBefore(second, id) && places.isBefore(id, first)),
  );
  return between.length + 1 >= historySize;
}
