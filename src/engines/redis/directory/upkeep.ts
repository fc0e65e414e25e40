import { withKeyTypes, type TypedKeys } from '../connection/key-types.ts';
import { type Script, scriptsIn } from '../connection/script.ts';
import { Unavailable } from '../../shared/unavailable.ts';
import type { Backbone } from '../connection/backbone.ts';
import type { DirectorySource } from '../../../core/ports/directory.ts';
import type { Occupant } from '../../../core/ports/presence-store.ts';

const script = scriptsIn('directory');
const RECOUNT = script('recount');
const READMIT = script('readmit');
export const UPKEEP_SCRIPTS: readonly Script[] = [RECOUNT, READMIT];

/** Rooms or users in one step. */
const CHUNK = 200;

export interface DirectoryUpkeepOptions {
  readonly backbone: Backbone;
  /** Undefined once the pod stops. */
  readonly source: () => DirectorySource | undefined;
  /** Connections whose places are taken at present; none where places are not counted. */
  readonly admitted: () => readonly Occupant[];
}

/**
 * Once in the length of a lease a pod writes its own numbers and places anew, and the sums of its rooms from the numbers of
 * all pods: what was evicted or deleted is whole again then. It looks at some other rooms as well, of which nobody may know.
 */
export class DirectoryUpkeep {
  readonly #options: DirectoryUpkeepOptions;
  /** From where on the rooms of all pods are looked at next. */
  #after = '';

  constructor(options: DirectoryUpkeepOptions) {
    this.#options = options;
  }

  start(): void {
    const { backbone, source } = this.#options;
    const { clock, leaseMs, log } = backbone;
    clock.after(leaseMs, () => {
      if (source() === undefined) return;
      this.#keep().catch((error: unknown) => {
        if (!(error instanceof Unavailable)) log.error({ err: error }, 'the directory could not be kept');
      });
      this.start();
    });
  }

  async #keep(): Promise<void> {
    const { source } = this.#options;
    const own = Array.from(source()?.occupied() ?? [], ({ room }) => room);
    const rooms = [...new Set([...own, ...(await this.#some())])];
    for (let at = 0; at < rooms.length; at += CHUNK) await this.#recount(rooms.slice(at, at + CHUNK));
    const places = this.#options.admitted();
    for (let at = 0; at < places.length; at += CHUNK) await this.#readmit(places.slice(at, at + CHUNK));
  }

  /** The next rooms of those of all pods, by name; from the first again after the last. */
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

  #readmit(places: readonly Occupant[]): Promise<void> {
    const { keys, lease } = this.#options.backbone;
    const typed: TypedKeys = [
      [keys.pods, 'zset'],
      [keys.podUsers(lease.name), 'set'],
      ...places.map(({ userId }) => [keys.user(userId), 'hash'] as const),
    ];
    return this.#call(READMIT, typed, () =>
      places.flatMap(({ connectionId, userId }) => [connectionId, userId]),
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
