import { withKeyTypes, type TypedKeys } from '../connection/key-types.ts';
import { type Script, scriptsIn } from '../connection/script.ts';
import { Unavailable } from '../../shared/unavailable.ts';
import { every } from '../../../core/base/every.ts';
import type { Backbone } from '../connection/backbone.ts';
import type { DirectorySource } from '../../../core/ports/directory.ts';
import type { Occupant } from '../../../core/ports/presence-store.ts';

const script = scriptsIn('directory');
const RECOUNT = script('recount');
const READMIT = script('readmit');
export const UPKEEP_SCRIPTS: readonly Script[] = [RECOUNT, READMIT];

/** Rooms or users per script. */
const CHUNK = 200;

export interface DirectoryUpkeepOptions {
  readonly backbone: Backbone;
  /** Undefined once the pod stops. */
  readonly source: () => DirectorySource | undefined;
  /** Connections that count toward their user's limit; none if this pod counts none. */
  readonly admitted: () => readonly Occupant[];
}

/**
 * Once per lease length a pod writes its own counts and admitted connections again, and recomputes the sums of its
 * rooms from the counts of all pods. That repairs what was evicted or deleted. It also recomputes some other rooms,
 * which no pod may have any more.
 */
export class DirectoryUpkeep {
  readonly #options: DirectoryUpkeepOptions;
  /** The room after which the next round over all rooms goes on. */
  #after = '';

  constructor(options: DirectoryUpkeepOptions) {
    this.#options = options;
  }

  start(): void {
    const { backbone, source } = this.#options;
    const { clock, leaseMs, log } = backbone;
    const failed = (error: unknown): void => {
      if (!(error instanceof Unavailable)) log.error({ err: error }, 'the directory could not be refreshed');
    };
    const stop = every(clock, leaseMs, () => {
      // Not awaited: a long round must not delay the next one.
      if (source() === undefined) stop();
      else void this.#refresh().catch(failed);
    });
  }

  async #refresh(): Promise<void> {
    const { source } = this.#options;
    const own = Array.from(source()?.occupied() ?? [], ({ room }) => room);
    const rooms = [...new Set([...own, ...(await this.#some())])];
    for (let at = 0; at < rooms.length; at += CHUNK) await this.#recount(rooms.slice(at, at + CHUNK));
    const admitted = this.#options.admitted();
    for (let at = 0; at < admitted.length; at += CHUNK) await this.#readmit(admitted.slice(at, at + CHUNK));
  }

  /** The next rooms of all pods, by name; starts again after the last one. */
  async #some(): Promise<string[]> {
    const { keys, shared, log } = this.#options.backbone;
    const from = this.#after === '' ? '-' : `(${this.#after}`;
    const some = await withKeyTypes({ shard: shared, log, typed: [[keys.rooms, 'zset']] }, () =>
      shared.command((client) => client.zrangebylex(keys.rooms, from, '+', 'LIMIT', 0, CHUNK)),
    );
    this.#after = (some.length === CHUNK ? some.at(-1) : undefined) ?? '';
    return some;
  }

  #recount(rooms: readonly string[]): Promise<void> {
    const { backbone, source } = this.#options;
    const { keys, lease } = backbone;
    const typed: TypedKeys = [
      [keys.rooms, 'zset'],
      [keys.roomCounts, 'hash'],
      [keys.podRooms(lease.name), 'hash'],
      [keys.pods, 'zset'],
      [keys.tombstones, 'zset'],
    ];
    return this.#call(RECOUNT, typed, () => [
      keys.podRooms(''),
      ...rooms.flatMap((room) => [room, source()?.connectionsIn(room) ?? 0]),
    ]);
  }

  #readmit(admitted: readonly Occupant[]): Promise<void> {
    const { keys, lease } = this.#options.backbone;
    const typed: TypedKeys = [
      [keys.pods, 'zset'],
      [keys.podUsers(lease.name), 'set'],
      ...admitted.map(({ userId }) => [keys.user(userId), 'hash'] as const),
    ];
    return this.#call(READMIT, typed, () =>
      admitted.flatMap(({ connectionId, userId }) => [connectionId, userId]),
    );
  }

  async #call(asked: Script, typed: TypedKeys, args: () => (string | number)[]): Promise<void> {
    const { lease, shared, log } = this.#options.backbone;
    const { name } = lease;
    const keys = typed.map(([key]) => key);
    const reply = await withKeyTypes({ shard: shared, log, typed }, () =>
      shared.call(asked, keys, [name, ...args()]),
    );
    lease.unlessLapsed(name, reply);
  }
}
