import { withKeyTypes, type TypedKeys } from '../connection/key-types.ts';
import type { LocalMembership, LocalMemberships } from './local-memberships.ts';
import { chunksOf, forEachInBatches } from './batches.ts';
import { Unavailable } from '../../shared/unavailable.ts';
import type { Backbone } from '../connection/backbone.ts';
import type { PresenceReaper } from './reaper.ts';
import type { RedisRows } from './rows.ts';
import { TOUCH } from './scripts.ts';

/** Rooms, and connections in them, of one step, so that no step keeps Redis for long. */
const ROOMS = 200;
const CONNECTIONS = 500;
/** Such steps, or rooms, at once. */
const AT_ONCE = 50;

export interface UpkeepOptions {
  readonly backbone: Backbone;
  readonly rows: RedisRows;
  readonly reaper: PresenceReaper;
  readonly memberships: LocalMemberships;
  /** How long presence outlives the last pod that keeps it. */
  readonly ttlMs: number;
  /** From 0 to 1, as Math.random. */
  readonly random: () => number;
  /** Of these something is gone: they are to be written anew. */
  readonly mend: (gone: readonly LocalMembership[]) => Promise<void>;
  /** A user stands in a room without a connection, and has for a while. */
  readonly orphaned: (room: string, userId: string) => Promise<void>;
}

interface Part {
  readonly room: string;
  readonly memberships: readonly LocalMembership[];
}

/** How many users a room has by its rows and by its tabs. */
interface Users {
  readonly rows: number;
  readonly tabs: number;
}

/**
 * Three times in the life of presence a pod keeps its rooms for another while, looks whether everybody present through it
 * is there, and whether somebody is there whom nobody keeps (docs/adr/0007-presence-in-redis.md).
 */
export class Upkeep {
  readonly #options: UpkeepOptions;
  /** Where rows and tabs did not agree when this pod looked last: others may have been about to mend it. */
  #uneven: ReadonlySet<string> = new Set();
  #stopped = false;

  constructor(options: UpkeepOptions) {
    this.#options = options;
  }

  start(): void {
    const { backbone, ttlMs } = this.#options;
    backbone.clock.after(ttlMs / 3, () => {
      if (this.#stopped) return;
      this.#keep().catch(this.#failed);
      this.start();
    });
  }

  /** Looks at once whether everybody present through this pod is there, in these rooms. */
  lookAfter(rooms: ReadonlySet<string>): void {
    if (this.#stopped) return;
    const own = [...rooms].filter((room) => this.#options.memberships.has(room));
    this.#find(own).catch(this.#failed);
  }

  stop(): void {
    this.#stopped = true;
  }

  async #keep(): Promise<void> {
    const { backbone, rows, memberships } = this.#options;
    const { name } = backbone.lease;
    const rooms = [...memberships.rooms()];
    for (const some of chunksOf(rooms, ROOMS)) {
      // Somebody may have left meanwhile, as the last.
      const still = some.filter((room) => memberships.has(room));
      if (still.length > 0) await rows.note(still, name);
    }
    await this.#sweep(await this.#find(rooms));
  }

  /** Writes anew what is gone of this pod's own; gives how many users there are. */
  async #find(rooms: readonly string[]): Promise<Map<string, Users>> {
    const found = new Map<string, Users>();
    const gone: LocalMembership[] = [];
    try {
      await forEachInBatches(this.#steps(rooms), AT_ONCE, (step) => this.#touch(step, found, gone));
    } finally {
      await this.#options.mend(gone);
    }
    return found;
  }

  readonly #failed = (error: unknown): void => {
    if (!(error instanceof Unavailable))
      this.#options.backbone.log.error({ err: error }, 'presence could not be kept');
  };

  /** Each for one part of the keys; a large room takes several. */
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

  /** Looks for those whom nobody keeps; what could not be looked at now is looked at the next time. */
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

  /** Each pod looks at all users of a room the less often the fewer it has there: together about once each time. */
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
      for (const pod of await reaper.podsIn(room)) if (!living.has(pod)) await reaper.remember(pod, room);
    });
  }
}

/** What the script is told of a place. */
function wordsOf({ who, said, lost }: LocalMembership): [string, string, string | number] {
  const stamp = said !== undefined && 'stamp' in said ? said.stamp : '';
  return [who.connectionId, who.userId, lost ? 'lost' : stamp];
}
