import { comparePositions, parsePosition, type Position } from '../../src/protocol/position.ts';
import type { Entry, JoinedEntry, Seat, Sighting } from './seat.ts';
import type { Story } from './story.ts';

/** What a run left behind, to be judged. */
export interface Evidence {
  readonly story: Story;
  /** The messages each room keeps in the end, oldest first. */
  readonly histories: ReadonlyMap<string, readonly { id: string; token: string }[]>;
  readonly historySize: number;
  /** A failover may drop what was acked. */
  readonly failsOver: boolean;
}

/** Whatever broke a promise, in words; the tokens are those of the messages concerned. */
export interface Violation {
  readonly text: string;
  readonly tokens: readonly string[];
}

/** Whether a failover has taken the message away; 'perhaps' where it may have been trimmed as well. */
export function isDropped({ id }: Established, room: string, evidence: Evidence): boolean | 'perhaps' {
  const history = evidence.histories.get(room) ?? [];
  if (!evidence.failsOver || history.some((kept) => kept.id === id)) return false;
  if (history.length < evidence.historySize) return true;
  return sameEpoch(id, history[0]?.id ?? '') ? false : 'perhaps';
}

/** Where a message that is known to have a position has it; after Redis lost its data it may have another. */
export interface Established {
  readonly token: string;
  readonly id: string;
  /** The first sign that it has this position. */
  readonly tick: number;
}

export function messagesOf(seat: Seat): Sighting[] {
  return seat.entries.filter((entry) => entry.kind === 'message');
}

/** It has a position. */
export function isPlaced({ provisional, ephemeral }: Sighting): boolean {
  return !provisional && !ephemeral;
}

/** A client was told that messages are missing. */
export function tellsLoss(entry: Entry): boolean {
  const isAnswer = entry.kind === 'joined' || entry.kind === 'recovered';
  return isAnswer && entry.recovered === false && entry.reason !== 'unavailable';
}

/** Whether somebody begins anew here, without a position to go on from. */
export function beginsAnew(entry: Entry): entry is JoinedEntry {
  return entry.kind === 'joined' && entry.after === undefined;
}

/** A room's messages whose position somebody was told, by an ack, a delivery or the history. */
export function establishedIn(room: string, { story, histories }: Evidence): Established[] {
  const known = new Map<string, Established>();
  const add = (id: string, token: string, tick: number): void => {
    const earlier = known.get(id);
    if (earlier === undefined || earlier.tick > tick) known.set(id, { id, token, tick });
  };
  for (const { token, ephemeral, acks, ...publication } of story.publications.values()) {
    if (publication.room === room && !ephemeral) for (const { id, tick } of acks) add(id, token, tick);
  }
  for (const seat of story.seats.filter((one) => one.room === room)) {
    for (const sighting of messagesOf(seat).filter(isPlaced)) add(sighting.id, sighting.token, sighting.tick);
  }
  for (const { id, token } of histories.get(room) ?? []) add(id, token, Number.MAX_SAFE_INTEGER);
  return [...known.values()];
}

function positionOf(id: string): Position {
  const position = parsePosition(id);
  if (position === undefined) throw new Error(`${id} is no position`);
  return position;
}

function sameEpoch(a: string, b: string): boolean {
  return parsePosition(a)?.epoch === parsePosition(b)?.epoch;
}

/**
 * Whether a message may stand in both places: Redis has lost the first; or it has no ref, the pod that sent it did not
 * hear that it was taken, and looked for it in the history when that had been trimmed.
 */
export function mayStandTwice(first: Established, second: Established, evidence: Evidence): boolean {
  if (!sameEpoch(first.id, second.id)) return true;
  const publication = evidence.story.publications.get(first.token);
  if (publication === undefined || publication.ref !== undefined) return false;
  const [earlier, later] = isBefore(first.id, second.id) ? [first, second] : [second, first];
  const between = establishedIn(publication.room, evidence).filter(
    ({ id }) => isBefore(earlier.id, id) && isBefore(id, later.id),
  );
  return between.length + 1 >= evidence.historySize;
}

/** Of two positions of one epoch: whether the first is earlier. */
export function isBefore(a: string, b: string): boolean {
  return sameEpoch(a, b) && isEarlier(a, b);
}

/** The same for two runs of servers that had the same data one after the other. */
export function isEarlier(a: string, b: string): boolean {
  return comparePositions(positionOf(a), positionOf(b)) < 0;
}

/**
 * What a client had of a room for the first time, once it drops what it had by id or provisional id; with the
 * entries that are no messages between.
 */
export function firstSightings(seat: Seat): { fresh: Entry[]; repeats: Sighting[] } {
  const known = new Set<string>();
  const fresh: Entry[] = [];
  const repeats: Sighting[] = [];
  for (const entry of seat.entries) {
    if (entry.kind !== 'message') {
      fresh.push(entry);
      continue;
    }
    const { id, provisionalId } = entry;
    const isKnown = known.has(id) || (provisionalId !== undefined && known.has(provisionalId));
    (isKnown ? repeats : fresh).push(entry);
    known.add(id);
    if (provisionalId !== undefined) known.add(provisionalId);
  }
  return { fresh, repeats };
}

export function nameOf(seat: Seat): string {
  return `${seat.actor} in ${seat.room}`;
}
