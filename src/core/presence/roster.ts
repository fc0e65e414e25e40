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
import type { RoomRule, RoomRules } from '../ports/room-rules.ts';
import { isPlaces, Places } from './places.ts';
import { localMembers } from './local-members.ts';

const MEMBERS_EVENT_MS = 1_000;

export interface RosterContext {
  readonly store: PresenceStore;
  readonly hub: Hub;
  readonly clock: Clock;
  readonly framer: Framer;
  readonly rules: RoomRules;
  readonly limits: Limits;
  readonly log: Log;
  /** Undefined if the operator configured no webhook. */
  readonly watcher?: Watcher | undefined;
}

/** Maintains which users are present in a room, and tells the room's listeners about every change. */
export class Roster {
  readonly #context: RosterContext;
  readonly places: Places;
  /** Rooms whose next `members` event is scheduled, with the count that it will tell. */
  readonly #counting = new Map<string, number>();
  /** When the last grace period of a lost connection ends, by `Clock.elapsed`. */
  #graceUntil = 0;

  constructor(context: RosterContext) {
    this.#context = context;
    this.places = new Places(context);
  }

  async start(): Promise<void> {
    const { store } = this.#context;
    await store.start({
      changed: (room, change) => {
        if (isPlaces(room)) return;
        this.#announce(room, change);
        if (change.kind === 'leave') this.#contradictLeave(room, change.member.userId);
      },
      caused: (room, change) => this.#tellWatcher(room, change),
      uncertain: (isConcerned) => {
        this.#tellLists(isConcerned).catch(this.#failed);
      },
    });
  }

  /** The clients of lost connections may still return, to another pod. */
  stop(): Promise<void> {
    const { clock, limits, store } = this.#context;
    return store.stop(Math.max(limits.presenceGraceMs, this.#graceUntil - clock.elapsed()));
  }

  /** A connection is in the room and states nothing. `returns`: it resumes a connection that was lost. */
  enter(room: string, who: Occupant, returns: boolean): Promise<void> {
    return this.#change(room, this.#context.store.enter(room, who, returns));
  }

  /** A connection states its user's presence; `returns` as in `enter`. */
  state(room: string, who: Occupant, statement: Statement, returns: boolean): Promise<void> {
    return this.#change(room, this.#context.store.state(room, who, statement, returns));
  }

  /** A connection is gone for good. */
  exit(room: string, who: Occupant): Promise<void> {
    return this.#change(room, this.#context.store.exit(room, who));
  }

  /**
   * All pods were told that a user left who is present through this pod. The pod's entry was lost, perhaps by a
   * failover before it was replicated, and another connection of the user ended. The user joins again at once.
   */
  #contradictLeave(room: string, userId: string): void {
    for (const connection of this.#context.hub.connectionsOf(userId)) {
      if (connection.closed || connection.membership(room)?.present !== true) continue;
      this.enter(room, connection, false).catch(this.#failed);
    }
  }

  /** Does not fail while the store is unavailable: the store makes up for the failed call. */
  async #change(room: string, work: Promise<PresenceChange | undefined>): Promise<void> {
    try {
      const change = await work;
      if (change !== undefined) this.#tellWatcher(room, change);
    } catch (error) {
      if (!isUnavailable(error)) throw error;
    }
  }

  #tellWatcher(room: string, change: PresenceChange): void {
    const { watcher, rules } = this.#context;
    if (watcher === undefined || isPlaces(room)) return;
    const { webhook } = rules.ruleOf(room);
    if (webhook.size > 0) watcher.changed(room, change, webhook);
  }

  /** A connection ended in order: its user gets no grace period. */
  exitAll(rooms: readonly string[], who: Occupant): void {
    for (const room of rooms) this.exit(room, who).catch(this.#failed);
  }

  /**
   * A connection was lost. Its user stays present for the grace period, and never left if any connection of the user
   * returns by then. The grace period starts after the `awayMs` milliseconds for which the pod asked the client to stay
   * away.
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
    this.#graceUntil = Math.max(this.#graceUntil, clock.elapsed() + graceMs);
    clock.after(graceMs, () => this.exitAll(rooms, who));
  }

  readonly #failed = (error: unknown): void => {
    if (isUnavailable(error)) return;
    this.#context.log.error({ err: error }, 'presence could not be changed');
  };

  /**
   * Lists the members, as far as the room's rule allows, or none with `isCounted`, and the number of all. While the
   * store is unavailable it lists the members of this pod, and `also`, a user about to become one.
   */
  async list(
    room: string,
    also?: Occupant,
    isCounted = false,
  ): Promise<{ members: Member[]; count: number }> {
    const { clock, hub, rules, store } = this.#context;
    const limit = isCounted ? 0 : listLimit(rules.ruleOf(room));
    try {
      return await store.list(room, limit);
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      return localMembers(hub.room(room), also, limit, clock.now());
    }
  }

  /** Lists all members, for the HTTP API; none if the room's rule switches presence off. Raises `unavailable`. */
  listAll(room: string): Promise<{ members: Member[]; count: number }> {
    const { rules, store } = this.#context;
    return store.list(room, rules.ruleOf(room).presence ? Number.MAX_SAFE_INTEGER : 0);
  }

  /** How many users are present in a room. Raises `unavailable`. */
  async countAll(room: string): Promise<number> {
    return (await this.#context.store.list(room, 0)).count;
  }

  /** Other rules are in force. The members of rooms whose presence they switch off are told how many are present. */
  rulesChanged(): void {
    // Before the rooms take their rules: it compares both.
    this.places.rulesChanged();
    for (const room of this.#context.hub.rooms())
      if (room.takeRule() === 'silenced') this.#tellCount(room.name).catch(this.#failed);
  }

  async #tellCount(room: string): Promise<void> {
    this.#announceCount(room, await this.countAll(room));
  }

  /** Changes may have been missed: tells the listeners the whole list. */
  async #tellLists(isConcerned: (room: string) => boolean): Promise<void> {
    const { clock, framer, hub, store } = this.#context;
    for (const room of Array.from(hub.rooms())) {
      if (!room.rule.presence || !room.hasListener(LISTEN.presence) || !isConcerned(room.name)) continue;
      const capture = room.capture();
      try {
        const { members, count } = await store.list(room.name, room.rule.presenceEventsLimit);
        room.flush();
        const event = { room: room.name, count, at: clock.now() } as const;
        if (!allGetLists(room))
          room.deliver(eventDelivery({ ...event, kind: 'members' }, LISTEN.presence, framer));
        room.deliver(eventDelivery({ ...event, kind: 'census', members }, LISTEN.lists, framer));
        const rest = newerThan(members, count, capture.deliveries);
        for (const delivery of rest) room.deliver(delivery);
      } catch (error) {
        // The store reports `uncertain` again once it can be read.
        if (!isUnavailable(error)) throw error;
      } finally {
        room.release(capture);
        hub.tidy(room);
      }
    }
  }

  #announce(room: string, { kind, member, count }: PresenceChange): void {
    const { presence, presenceEventsLimit } = this.#context.rules.ruleOf(room);
    if (!presence) return;
    if (kind !== 'update' && count > presenceEventsLimit) {
      this.#announceCount(room, count);
      return;
    }
    const at = this.#context.clock.now();
    const event: PresenceEvent = { kind: 'presence', room, change: kind, member, at };
    this.#context.hub.room(room)?.deliver(presenceDelivery(event, this.#context.framer));
  }

  /** In a large room tells the number of members instead of each name, at most once a second. */
  #announceCount(room: string, count: number): void {
    const { clock, framer, hub } = this.#context;
    const isScheduled = this.#counting.has(room);
    this.#counting.set(room, count);
    if (isScheduled) return;
    clock.after(MEMBERS_EVENT_MS, () => {
      const latest = this.#counting.get(room) ?? count;
      this.#counting.delete(room);
      const event = { kind: 'members', room, count: latest, at: clock.now() } as const;
      hub.room(room)?.deliver(eventDelivery(event, LISTEN.presence, framer));
    });
  }
}

/**
 * Changes that came while a list was read may be newer than the list, so they are told again behind it; but not the
 * leave of a user whom the list no longer contains.
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

/** Whether all members that listen to presence also listen to lists. */
function allGetLists(room: Room): boolean {
  for (const { listen } of room.members())
    if ((listen & LISTEN.presence) !== 0 && (listen & LISTEN.lists) === 0) return false;
  return true;
}

/** So many members a list names at most. */
function listLimit({ presence, presenceEventsLimit }: RoomRule): number {
  return presence ? presenceEventsLimit : 0;
}
