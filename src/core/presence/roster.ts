import type { Member, PresenceEvent } from '../../protocol/event.ts';
import type { Occupant, PresenceChange, PresenceStore, Statement } from '../ports/presence-store.ts';
import { type Delivery, eventDelivery, presenceDelivery } from '../delivery/delivery.ts';
import type { Clock } from '../ports/clock.ts';
import type { Framer } from '../ports/socket.ts';
import type { Hub } from '../pod/hub.ts';
import { LISTEN } from '../../protocol/command.ts';
import type { Limits } from '../base/limits.ts';
import type { Log } from '../ports/log.ts';
import type { Watcher } from '../ports/watcher.ts';
import { isUnavailable } from '../base/refused.ts';
import type { Room } from '../delivery/room.ts';
import { localMembers } from './local-members.ts';

const MEMBERS_EVENT_MS = 1_000;

export interface RosterContext {
  readonly store: PresenceStore;
  readonly hub: Hub;
  readonly clock: Clock;
  readonly framer: Framer;
  readonly limits: Limits;
  readonly log: Log;
  /** Undefined: nobody outside wants to know. */
  readonly watcher?: Watcher | undefined;
}

/** Keeps who is present in a room and tells its listeners of every change. */
export class Roster {
  readonly #context: RosterContext;
  /** Rooms whose next `members` event is already under way, with the count it will give. */
  readonly #counting = new Map<string, number>();
  /** Until when those who were lost may return. */
  #awaitedUntil = 0;

  constructor(context: RosterContext) {
    this.#context = context;
  }

  async start(): Promise<void> {
    const { store } = this.#context;
    await store.start({
      changed: (room, change) => {
        this.#announce(room, change);
        if (change.kind === 'leave') this.#contradict(room, change.member.userId);
      },
      caused: (room, change) => this.#context.watcher?.changed(room, change),
      uncertain: (isConcerned) => {
        this.#tellAnew(isConcerned).catch(this.#failed);
      },
    });
  }

  /** Who was lost can still return, to another pod. */
  stop(): Promise<void> {
    const { clock, limits, store } = this.#context;
    return store.stop(Math.max(limits.presenceGraceMs, this.#awaitedUntil - clock.elapsed()));
  }

  /** A connection is there and says nothing of itself; `returns`: it goes on where one that was lost ended. */
  enter(room: string, who: Occupant, returns: boolean): Promise<void> {
    return this.#change(room, this.#context.store.enter(room, who, returns));
  }

  /** A connection says how it is; `returns` as with `enter`. */
  state(room: string, who: Occupant, statement: Statement, returns: boolean): Promise<void> {
    return this.#change(room, this.#context.store.state(room, who, statement, returns));
  }

  /** A connection is gone for good. */
  exit(room: string, who: Occupant): Promise<void> {
    return this.#change(room, this.#context.store.exit(room, who));
  }

  /**
   * All are told that a user has left who is there through this pod: what it had written is gone, with a server that had
   * not passed it on perhaps, and another of the user's connections has ended. Who is there in truth comes again at once.
   */
  #contradict(room: string, userId: string): void {
    for (const connection of this.#context.hub.connectionsOf(userId)) {
      if (connection.closed || connection.membership(room)?.present !== true) continue;
      this.enter(room, connection, false).catch(this.#failed);
    }
  }

  /** While the store is away nobody waits for it: it makes up for what it missed. */
  async #change(room: string, work: Promise<PresenceChange | undefined>): Promise<void> {
    try {
      const change = await work;
      if (change !== undefined) this.#context.watcher?.changed(room, change);
    } catch (error) {
      if (!isUnavailable(error)) throw error;
    }
  }

  /** A connection ended as it should: nobody waits for it. */
  exitAll(rooms: readonly string[], who: Occupant): void {
    for (const room of rooms) this.exit(room, who).catch(this.#failed);
  }

  /**
   * A connection was lost. It stays present for the grace: a user who is back by then, with whichever connection, has
   * never left. The grace begins after `awayMs`, where the client was asked to stay away for so long.
   */
  lose(rooms: readonly string[], who: Occupant, awayMs = 0): void {
    if (rooms.length === 0) return;
    const { clock, limits, store } = this.#context;
    for (const room of rooms)
      this.#change(
        room,
        store.lose(room, who).then(() => undefined),
      ).catch(this.#failed);
    const graceMs = awayMs + limits.presenceGraceMs;
    this.#awaitedUntil = Math.max(this.#awaitedUntil, clock.elapsed() + graceMs);
    clock.after(graceMs, () => this.exitAll(rooms, who));
  }

  readonly #failed = (error: unknown): void => {
    if (isUnavailable(error)) return;
    this.#context.log.error({ err: error }, 'presence could not be changed');
  };

  /**
   * At most `limit`, by default as many as single joins are announced for, and how many there are; while the store is
   * away those of this pod, with `also`, who is about to be.
   */
  async list(
    room: string,
    also?: Occupant,
    limit = this.#context.limits.presenceEventsLimit,
  ): Promise<{ members: Member[]; count: number }> {
    const { clock, hub, store } = this.#context;
    try {
      return await store.list(room, limit);
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      return localMembers(hub.room(room), also, limit, clock.now());
    }
  }

  /** All of them, however many; for those who ask by HTTP. Raises `unavailable`. */
  everybody(room: string): Promise<{ members: Member[]; count: number }> {
    return this.#context.store.list(room, Number.MAX_SAFE_INTEGER);
  }

  /** Changes may have gone unheard: who listens is told who is there. */
  async #tellAnew(isConcerned: (room: string) => boolean): Promise<void> {
    const { clock, framer, hub, limits, store } = this.#context;
    for (const room of Array.from(hub.rooms())) {
      if (!room.hasListener(LISTEN.presence) || !isConcerned(room.name)) continue;
      const capture = room.capture();
      try {
        const { members, count } = await store.list(room.name, limits.presenceEventsLimit);
        room.flush();
        const event = { room: room.name, count, at: clock.now() } as const;
        if (!allGetLists(room))
          room.deliver(eventDelivery({ ...event, kind: 'members' }, LISTEN.presence, framer));
        room.deliver(eventDelivery({ ...event, kind: 'census', members }, LISTEN.lists, framer));
        const rest = newerThan(members, count, capture.deliveries);
        for (const delivery of rest) room.deliver(delivery);
      } catch (error) {
        // When it can be listed it will be told then.
        if (!isUnavailable(error)) throw error;
      } finally {
        room.release(capture);
        hub.tidy(room);
      }
    }
  }

  #announce(room: string, { kind, member, count }: PresenceChange): void {
    if (kind !== 'update' && count > this.#context.limits.presenceEventsLimit) {
      this.#announceCount(room, count);
      return;
    }
    const at = this.#context.clock.now();
    const event: PresenceEvent = { kind: 'presence', room, change: kind, member, at };
    this.#context.hub.room(room)?.deliver(presenceDelivery(event, this.#context.framer));
  }

  /** In a large room the number is told instead of every name, at most once a second. */
  #announceCount(room: string, count: number): void {
    const { clock, framer, hub } = this.#context;
    const underWay = this.#counting.has(room);
    this.#counting.set(room, count);
    if (underWay) return;
    clock.after(MEMBERS_EVENT_MS, () => {
      const latest = this.#counting.get(room) ?? count;
      this.#counting.delete(room);
      const event = { kind: 'members', room, count: latest, at: clock.now() } as const;
      hub.room(room)?.deliver(eventDelivery(event, LISTEN.presence, framer));
    });
  }
}

/**
 * What came while a list was read may be newer than it, and is told again behind it; but not that somebody has left of
 * whom the list knows that already.
 */
function newerThan(members: readonly Member[], count: number, captured: readonly Delivery[]): Delivery[] {
  const gone = new Set<string>();
  for (const { about, leaves } of captured) {
    if (about !== undefined && leaves === true) gone.add(about);
    else if (about !== undefined) gone.delete(about);
  }
  const isWhole = members.length === count;
  for (const { userId } of members) gone.delete(userId);
  return captured.filter(({ about }) => about !== undefined && !(isWhole && gone.has(about)));
}

/** Whether whoever hears of the room's presence is told lists as well. */
function allGetLists(room: Room): boolean {
  for (const { listen } of room.members())
    if ((listen & LISTEN.presence) !== 0 && (listen & LISTEN.lists) === 0) return false;
  return true;
}
