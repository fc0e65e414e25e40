import type { Member, PresenceEvent } from '../protocol/event.ts';
import type { Occupant, PresenceChange, PresenceStore, Statement } from './ports/presence-store.ts';
import { eventDelivery, presenceDelivery } from './delivery.ts';
import type { Clock } from './ports/clock.ts';
import type { Framer } from './ports/socket.ts';
import type { Hub } from './hub.ts';
import { LISTEN } from '../protocol/command.ts';
import type { Limits } from './limits.ts';
import type { Log } from './ports/log.ts';
import type { Watcher } from './ports/watcher.ts';

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

  constructor(context: RosterContext) {
    this.#context = context;
  }

  /** A connection is there and says nothing of itself. */
  async enter(room: string, who: Occupant): Promise<void> {
    this.#announce(room, await this.#context.store.enter(room, who));
  }

  /** A connection says how it is. */
  async state(room: string, who: Occupant, statement: Statement): Promise<void> {
    this.#announce(room, await this.#context.store.state(room, who, statement));
  }

  /** A connection is gone for good. */
  async exit(room: string, who: Occupant): Promise<void> {
    this.#announce(room, await this.#context.store.exit(room, who));
  }

  /** A connection ended as it should: nobody waits for it. */
  exitAll(rooms: readonly string[], who: Occupant): void {
    for (const room of rooms) this.exit(room, who).catch(this.#failed);
  }

  /**
   * A connection was lost. It stays present for the grace: a user who is back by then, with whichever connection, has
   * never left.
   */
  lose(rooms: readonly string[], who: Occupant): void {
    if (rooms.length === 0) return;
    const { clock, limits, store } = this.#context;
    for (const room of rooms) store.lose(room, who).catch(this.#failed);
    clock.after(limits.presenceGraceMs, () => this.exitAll(rooms, who));
  }

  readonly #failed = (error: unknown): void => {
    this.#context.log.error({ err: error }, 'the presence of a lost connection could not be changed');
  };

  /** At most as many as single joins are announced for, and how many there are. */
  list(room: string): Promise<{ members: Member[]; count: number }> {
    return this.#context.store.list(room, this.#context.limits.presenceEventsLimit);
  }

  /** All of them, however many; for those who ask by HTTP. */
  everybody(room: string): Promise<{ members: Member[]; count: number }> {
    return this.#context.store.list(room, Number.MAX_SAFE_INTEGER);
  }

  #announce(room: string, change: PresenceChange | undefined): void {
    if (change === undefined) return;
    this.#context.watcher?.changed(room, change);
    const { kind, member, count } = change;
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
