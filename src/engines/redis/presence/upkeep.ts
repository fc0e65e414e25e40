import { withKeyTypes, type TypedKeys } from '../connection/key-types.ts';
import type { LocalMembership, LocalMemberships } from './local-memberships.ts';
import { chunksOf, forEachInBatches } from './batches.ts';
import { Unavailable } from '../../shared/unavailable.ts';
import { every } from '../../../core/base/every.ts';
import type { Backbone } from '../connection/backbone.ts';
import type { PresenceReaper } from './reaper.ts';
import type { RedisRows } from './rows.ts';
import { TOUCH } from './scripts.ts';

/** Rooms and connections per script, so that no script blocks Redis for long. */
const ROOMS = 200;
const CONNECTIONS = 500;
/** Scripts, or rooms, in parallel. */
const AT_ONCE = 50;

export interface UpkeepOptions {
  readonly backbone: Backbone;
  readonly rows: RedisRows;
  readonly reaper: PresenceReaper;
  readonly memberships: LocalMemberships;
  /** Presence expires this long after the last pod refreshed it. */
  readonly ttlMs: number;
  /** From 0 to 1, as Math.random. */
  readonly random: () => number;
  /** Writes these again: Redis has lost some of their rows. */
  readonly repair: (gone: readonly LocalMembership[]) => Promise<void>;
  /** A user of a row has had no connection there for a while. */
  readonly orphaned: (room: string, userId: string) => Promise<void>;
}

interface Part {
  readonly room: string;
  readonly memberships: readonly LocalMembership[];
}

/** How many users a room has in each of its two hashes. */
interface Users {
  readonly rows: number;
  readonly tabs: number;
}

/**
 * Three times per `ttlMs` a pod refreshes the presence of its rooms, finds rows of its own members that Redis has lost,
 * and looks for members that no pod refreshes (docs/adr/0007-presence-in-redis.md).
 */
export class Upkeep {
  readonly #options: UpkeepOptions;
  /** Rooms whose two hashes differed last time: another pod may have been about to repair them. */
  #uneven: ReadonlySet<string> = new Set();
  #stop: (() => void) | undefined;

  constructor(options: UpkeepOptions) {
    this.#options = options;
  }

  start(): void {
    const { backbone, ttlMs } = this.#options;
    // Not awaited: a round that takes long must not delay the next refresh beyond the ttl.
    this.#stop = every(backbone.clock, ttlMs / 3, () => void this.#refresh().catch(this.#failed));
  }

  /** Repairs the rows of this pod's members in these rooms, now. */
  check(rooms: ReadonlySet<string>): void {
    if (this.#stop === undefined) return;
    const own = [...rooms].filter((room) => this.#options.memberships.has(room));
    this.#find(own).catch(this.#failed);
  }

  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  async #refresh(): Promise<void> {
    const { backbone, rows, memberships } = this.#options;
    const { name } = backbone.lease;
    const rooms = [...memberships.rooms()];
    for (const some of chunksOf(rooms, ROOMS)) {
      // The last member may have left meanwhile.
      const still = some.filter((room) => memberships.has(room));
      if (still.length > 0) await rows.note(still, name);
    }
    await this.#sweep(await this.#find(rooms));
  }

  /** Repairs the rows of this pod's members, and counts the users of each room. */
  async #find(rooms: readonly string[]): Promise<Map<string, Users>> {
    const found = new Map<string, Users>();
    const gone: LocalMembership[] = [];
    try {
      await forEachInBatches(this.#steps(rooms), AT_ONCE, (step) => this.#touch(step, found, gone));
    } finally {
      await this.#options.repair(gone);
    }
    return found;
  }

  readonly #failed = (error: unknown): void => {
    if (!(error instanceof Unavailable))
      this.#options.backbone.log.error({ err: error }, 'presence could not be refreshed');
  };

  /** One script each, for rooms of one slot; a large room takes several. */
  #steps(rooms: readonly string[]): Part[][] {
    const { keys, placement } = this.#options.backbone;
    const byPart = Map.groupBy(rooms, (room) => placement.slotOf(keys.presence(room)));
    return [...byPart.values()].flatMap((some) => this.#stepsOf(some));
  }

  #stepsOf(rooms: readonly string[]): Part[][] {
    const steps: Part[][] = [];
    let left = 0;
    for (const room of rooms) {
      for (const memberships of chunksOf([...this.#options.memberships.in(room)], CONNECTIONS)) {
        const last = steps.at(-1);
        if (last === undefined || last.length === ROOMS || left < memberships.length) {
          steps.push([{ room, memberships }]);
          left = CONNECTIONS;
        } else last.push({ room, memberships });
        left -= memberships.length;
      }
    }
    return steps;
  }

  async #touch(step: readonly Part[], found: Map<string, Users>, gone: LocalMembership[]): Promise<void> {
    const { backbone, ttlMs } = this.#options;
    const { keys, lease, log } = backbone;
    const typed: TypedKeys = step.flatMap(({ room }) => [
      [keys.presence(room), 'hash'] as const,
      [keys.tabs(room), 'hash'] as const,
    ]);
    const args = step.flatMap(({ memberships }) => [memberships.length, ...memberships.flatMap(wordsOf)]);
    const shard = backbone.placement.shardOfRoom(step[0]?.room ?? '');
    const names = typed.map(([key]) => key);
    const call = (): Promise<unknown> => shard.call(TOUCH, names, [lease.name, ttlMs, ...args]);
    const [users, missing] = (await withKeyTypes({ shard, log, typed }, call)) as [number[], number[]];
    for (const [index, { room }] of step.entries()) {
      found.set(room, { rows: users[2 * index] ?? 0, tabs: users[2 * index + 1] ?? 0 });
    }
    const all = step.flatMap(({ memberships }) => memberships);
    for (const index of missing) {
      const membership = all[index];
      if (membership !== undefined) gone.push(membership);
    }
  }

  /** Looks for members that no pod refreshes. A room that cannot be reached is looked at the next time. */
  async #sweep(found: ReadonlyMap<string, Users>): Promise<void> {
    const uneven = new Set<string>();
    for (const [room, { rows, tabs }] of found) if (rows !== tabs) uneven.add(room);
    const again = [...uneven].filter((room) => this.#uneven.has(room));
    this.#uneven = uneven;
    await forEachInBatches(again, AT_ONCE, (room) => this.#findOrphans(room));
    const crowded = [...found].filter(([room, { tabs }]) => this.#isDue(room, tabs)).map(([room]) => room);
    if (crowded.length > 0) await this.#findDead(crowded);
  }

  async #findOrphans(room: string): Promise<void> {
    const { orphaned, reaper } = this.#options;
    for (const user of await reaper.orphansIn(room)) await orphaned(room, user);
  }

  /**
   * Each pod surveys a room with a probability that grows with its share of the members: together about once a round.
   */
  #isDue(room: string, users: number): boolean {
    const own = new Set(Array.from(this.#options.memberships.in(room), ({ who }) => who.userId)).size;
    return users > own && this.#options.random() * users < own;
  }

  async #findDead(rooms: readonly string[]): Promise<void> {
    const { backbone, reaper } = this.#options;
    const { keys, shared } = backbone;
    const living = new Set(
      await shared.command((client) => client.zrangebyscore(keys.pods, '-inf', '+inf'), [keys.pods]),
    );
    await forEachInBatches(rooms, AT_ONCE, async (room) => {
      for (const pod of await reaper.podsIn(room))
        if (!living.has(pod)) await reaper.ensureTombstone(pod, room);
    });
  }
}

/** As touch.lua takes them. */
function wordsOf({ who, said, lost }: LocalMembership): [string, string, string | number] {
  const stamp = said !== undefined && 'stamp' in said ? said.stamp : '';
  return [who.connectionId, who.userId, lost ? 'lost' : stamp];
}
