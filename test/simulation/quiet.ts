import { LibraryClient } from './clients/library.ts';
import { AFTER_MENDED, ROOMS } from './plan/plan.ts';
import type { Person } from './clients/view.ts';
import { RawClient } from './clients/raw.ts';
import type { Seat } from './clients/seat.ts';
import type { World } from './world.ts';

/** Where a client stood in a room when the pods were asked who is present. */
export interface Stay extends Readonly<Pick<Seat, 'state' | 'hidden' | 'said'>> {
  readonly seat: Seat;
  /** Whom it saw there. */
  readonly view: string;
  /** In virtual milliseconds. */
  readonly at: number;
}

/** What was seen once nothing broke any more. */
export interface Quiet {
  /** Frames that each client was given, and bytes that each pod wrote to Redis, while nobody needed anything. */
  readonly frames: Map<string, number>;
  readonly writes: Map<string, number>;
  /** By pod and room: who is present, as a pod lists it; undefined where it could not. */
  readonly presence: Map<string, Map<string, readonly Person[] | undefined>>;
  readonly stays: Stay[];
  /** Pods that were not ready in the end, and how they were. */
  readonly unready: string[];
}

/** Plans what happens after all is mended, and what is looked at then. */
export function observeQuiet(world: World, mended: number): Quiet {
  const quiet: Quiet = { frames: new Map(), writes: new Map(), presence: new Map(), stays: [], unready: [] };
  world.at(mended, () => mendAll(world));
  world.at(mended + AFTER_MENDED.statements, () => stateFinally(world));
  world.at(mended + AFTER_MENDED.markers, () => publishMarkers(world));
  const before = new Map<string, number>();
  world.at(mended + AFTER_MENDED.quiet, () => {
    for (const client of world.clients) before.set(client.name, client.frames);
    for (const { pod } of world.slots) before.set(pod.name, world.network.writesOf(pod.strand));
  });
  world.at(mended + AFTER_MENDED.ask, () => {
    for (const client of world.clients)
      quiet.frames.set(client.name, client.frames - (before.get(client.name) ?? 0));
    for (const { pod } of world.slots) {
      quiet.writes.set(pod.name, world.network.writesOf(pod.strand) - (before.get(pod.name) ?? 0));
    }
    for (const room of ROOMS) askPresence(world, quiet, room);
    for (const { seats } of world.clients) quiet.stays.push(...seats.map((seat) => stayOf(seat, world)));
    for (const { pod } of world.slots) {
      if (pod.readiness !== 'ready') quiet.unready.push(`${pod.name} is ${pod.readiness}`);
    }
  });
  return quiet;
}

function stayOf(seat: Seat, { kernel }: World): Stay {
  const { state, hidden, said, view } = seat;
  return { seat, state, hidden, said, view: String(view), at: kernel.time };
}

function mendAll(world: World): void {
  world.note('all is mended');
  world.mendLines();
  for (const client of world.clients) {
    client.read(true);
    if (client instanceof LibraryClient) client.hint();
  }
}

/** One client of each user says something of itself in each of its rooms, after which nobody says anything. */
function stateFinally(world: World): void {
  const spoken = new Set<string>();
  for (const client of world.clients) {
    if (spoken.has(client.user)) continue;
    spoken.add(client.user);
    for (const seat of client.seats) {
      if (seat.state === 'in')
        client.state(seat.room, seat.room === 'r1' ? 'away' : 'online', { final: client.name });
    }
  }
}

/** A raw client publishes in each room: whoever is there must see it, and what was missing must have come before. */
function publishMarkers(world: World): void {
  for (const room of ROOMS) {
    for (const client of world.clients
      .filter((one) => one instanceof RawClient || one.seat(room).wanted)
      .slice(0, 2)) {
      const made = client.publish(room, { ref: true, ephemeral: false });
      if (made !== undefined)
        world.note(`${client.name} publishes ${made.token} in ${room}, one of the last`);
    }
  }
}

function askPresence(world: World, quiet: Quiet, room: string): void {
  const lists = new Map<string, readonly Person[] | undefined>();
  quiet.presence.set(room, lists);
  for (const { pod } of world.slots) {
    lists.set(pod.name, undefined);
    world.kernel.after(0, pod.strand, () => {
      pod.parts?.pod.roster.list(room).then(
        ({ members }) =>
          void lists.set(
            pod.name,
            members.map(({ userId, status, meta }) => ({ user_id: userId, status, meta: valueOf(meta) })),
          ),
        () => undefined,
      );
    });
  }
}

/** What is passed on as text is JSON all the same. */
function valueOf(meta: unknown): unknown {
  return typeof meta === 'string' ? JSON.parse(meta) : meta;
}
