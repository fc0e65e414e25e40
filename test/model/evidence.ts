import { comparePositions, parsePosition, type Position } from '../../src/protocol/position.ts';
import type { Effect, Story, Trouble } from './story.ts';
import type { Entry, JoinedEntry, Seat, Sighting } from './seat.ts';

/** A message as a room keeps it. */
export interface Kept {
  readonly id: string;
  readonly token: string;
  readonly provisionalId: string | undefined;
}

/** What a run left behind, to be judged. */
export interface Evidence {
  readonly story: Story;
  /** The messages each room keeps in the end, oldest first. */
  readonly histories: ReadonlyMap<string, readonly Kept[]>;
  readonly historySize: number;
  readonly isCluster: boolean;
}

/** Which promise was broken; a summary counts by it. */
export type Kind =
  | 'twice'
  | 'gap'
  | 'order'
  | 'presence'
  | 'false-leave'
  | 'untold'
  | 'owed'
  | 'reason'
  | 'unnamed'
  | 'history'
  | 'paging'
  | 'unbounded'
  | 'error'
  | 'unsettled';

/** Whatever broke a promise, in words; the tokens are those of the messages concerned. */
export interface Violation {
  readonly kind: Kind;
  readonly text: string;
  readonly tokens: readonly string[];
}

/** Where a message that is known to have a position has it; after Redis lost its data it may have another. */
export interface Established {
  readonly token: string;
  readonly id: string;
  /** When it was first sent. */
  readonly sent: number;
  /** The first sign that it has this position. */
  readonly tick: number;
  /** Those that have delivered it or acked it, and so have seen its position. */
  readonly pods: ReadonlySet<string>;
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
  const known = new Map<
    string,
    { id: string; token: string; sent: number; tick: number; pods: Set<string> }
  >();
  const add = (id: string, token: string, tick: number, pod?: string): void => {
    const sent = story.publications.get(token)?.sends[0]?.tick ?? tick;
    const one = known.get(id) ?? { id, token, sent, tick, pods: new Set() };
    known.set(id, one);
    one.tick = Math.min(one.tick, tick);
    if (pod !== undefined) one.pods.add(pod);
  };
  for (const { token, ephemeral, acks, ...publication } of story.publications.values()) {
    if (publication.room !== room || ephemeral) continue;
    for (const { id, tick, pod } of acks) add(id, token, tick, pod);
  }
  for (const seat of story.seats.filter((one) => one.room === room)) {
    for (const { id, token, tick, pod } of messagesOf(seat).filter(isPlaced)) add(id, token, tick, pod);
  }
  for (const { id, token } of histories.get(room) ?? []) add(id, token, Number.MAX_SAFE_INTEGER);
  return [...known.values()];
}

/** What lasted at that moment or began later, of that kind. */
export function troublesSince(tick: number, effects: readonly Effect[], { story }: Evidence): Trouble[] {
  return story.troubles.filter(
    ({ effect, until }) => effects.includes(effect) && (until === undefined || until.tick > tick),
  );
}

/** Whether it is no longer kept, and has not been trimmed either: it went with the data of Redis or NATS. */
export function isGone({ id }: Established, room: string, { histories, historySize }: Evidence): boolean {
  const history = histories.get(room) ?? [];
  if (history.some((kept) => kept.id === id)) return false;
  const [oldest] = history;
  if (oldest === undefined || history.length < historySize) return true;
  return dataOf(id) !== dataOf(oldest.id) || !isEarlier(id, oldest.id);
}

/** A server that lost all it had names its data anew. */
function dataOf(id: string): string | undefined {
  return parsePosition(id)?.epoch.slice(0, 6);
}

function positionOf(id: string): Position {
  const position = parsePosition(id);
  if (position === undefined) throw new Error(`${id} is no position`);
  return position;
}

function sameEpoch(a: string, b: string): boolean {
  const epoch = parsePosition(a)?.epoch;
  return epoch !== undefined && epoch === parsePosition(b)?.epoch;
}

/**
 * Whether a message may stand in both places: only where the first may have been lost with the data, and is not kept. "A
 * repetition never appends twice."
 */
export function mayStandTwice(one: Established, other: Established, evidence: Evidence): boolean {
  const room = evidence.story.publications.get(one.token)?.room ?? '';
  const kept = evidence.histories.get(room) ?? [];
  if ([one, other].every(({ id }) => kept.some((message) => message.id === id))) return false;
  return troublesSince(Math.min(one.sent, other.sent), ['data', 'keys', 'room'], evidence).length > 0;
}

/** Of two positions of one epoch: whether the first is earlier. */
export function isBefore(a: string, b: string): boolean {
  return sameEpoch(a, b) && isEarlier(a, b);
}

/** The same for two runs of servers that had the same data one after the other. */
function isEarlier(a: string, b: string): boolean {
  return comparePositions(positionOf(a), positionOf(b)) < 0;
}

/**
 * What a client library shows of a room, as it drops what it had by id or provisional id; with the entries that are no
 * messages between. Who forgets what it had, as somebody new, is shown it again.
 */
export function shownTo(seat: Seat): Entry[] {
  const known = new Set<string>();
  return seat.entries.filter((entry) => {
    if (entry.kind === 'forgot') known.clear();
    if (entry.kind !== 'message') return true;
    const { id, provisionalId } = entry;
    const isKnown = known.has(id) || (provisionalId !== undefined && known.has(provisionalId));
    known.add(id);
    if (provisionalId !== undefined) known.add(provisionalId);
    return !isKnown;
  });
}

export function nameOf(seat: Seat): string {
  return `${seat.actor} in ${seat.room}`;
}
