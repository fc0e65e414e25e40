import type { Hub } from '../pod/hub.ts';
import { LISTEN } from '../../protocol/command.ts';
import type { Occupant, PresenceStore } from '../ports/presence-store.ts';
import type { RoomRules } from '../ports/room-rules.ts';
import { isUnavailable, Refused } from '../base/refused.ts';

/** No name of a room contains it. */
const MARK = '#';

export interface PlacesContext {
  readonly store: PresenceStore;
  readonly hub: Hub;
  readonly rules: RoomRules;
}

/**
 * The places in rooms whose rule limits the users who hear them. The presence store keeps them, as the members of a
 * second room that nobody can join: so a place outlives a lost connection by the grace period, and a dead pod by its
 * lease, and two connections of a user take one.
 */
export class Places {
  readonly #context: PlacesContext;

  constructor(context: PlacesContext) {
    this.#context = context;
  }

  /** Whether the room has a limit now, so that a connection needs a place. */
  isLimited(room: string): boolean {
    return this.#context.rules.ruleOf(room).maxMembers !== undefined;
  }

  /**
   * Takes a place for a connection; a second call changes nothing. `returns`: the connection resumes a lost one. Raises
   * `room_full`. While the store is unavailable the pod counts the users that it knows.
   */
  async take(room: string, who: Occupant, returns: boolean): Promise<void> {
    const { rules, store } = this.#context;
    const { maxMembers = Number.MAX_SAFE_INTEGER } = rules.ruleOf(room);
    try {
      if (await store.admit(placesOf(room), who, maxMembers, returns)) return;
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      if (this.#fits(room, who, maxMembers)) return;
      // The store would make up for the call.
      await store.exit(placesOf(room), who).catch(ignoreUnavailable);
    }
    throw new Refused('room_full', `at most ${maxMembers} users may be in this room`);
  }

  #fits(room: string, { userId }: Occupant, most: number): boolean {
    const users = new Set<string>();
    for (const { connection, listen } of this.#context.hub.room(room)?.members() ?? [])
      if ((listen & LISTEN.messages) !== 0) users.add(connection.userId);
    return users.has(userId) || users.size < most;
  }

  /** Gives a place back for good, if the connection has one. */
  async release(room: string, who: Occupant): Promise<void> {
    if (this.isLimited(room)) await this.#context.store.exit(placesOf(room), who).catch(ignoreUnavailable);
  }

  /** The store's names for the places in those of the rooms that are limited: for `Roster.lose` and `exitAll`. */
  namesOf(rooms: readonly string[]): string[] {
    return rooms.filter((room) => this.isLimited(room)).map(placesOf);
  }

  /**
   * Other rules are in force, which the rooms have not taken yet (`Room.takeRule`). Whoever hears a room that is limited
   * from now on has a place in it, however many there are; places in a room without a limit would count again later.
   */
  rulesChanged(): void {
    const { hub, store } = this.#context;
    for (const room of hub.rooms()) {
      const isLimited = this.isLimited(room.name);
      if (isLimited === (room.rule.maxMembers !== undefined)) continue;
      const name = placesOf(room.name);
      for (const { connection, listen } of room.members()) {
        if ((listen & LISTEN.messages) === 0) continue;
        const changed = isLimited ? store.enter(name, connection) : store.exit(name, connection);
        changed.catch(ignoreUnavailable);
      }
    }
  }
}

function placesOf(room: string): string {
  return `${room}${MARK}`;
}

/** Whether a name of the presence store is that of places, whose changes are nobody's presence. */
export function isPlaces(room: string): boolean {
  return room.endsWith(MARK);
}

/** The store makes up for a call that failed with `unavailable`. */
function ignoreUnavailable(error: unknown): void {
  if (!isUnavailable(error)) throw error;
}
