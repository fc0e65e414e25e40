import type { Directory, DirectorySource, Occupied, Load } from '../../core/ports/directory.ts';
import { NatsPlaces, PLACES_AGE_MS } from './directory/places.ts';
import { Unavailable } from '../shared/unavailable.ts';
import type { Leaseholder } from '../shared/lease.ts';
import type { NatsBackbone } from './connection/backbone.ts';
import { NatsRooms } from './directory/rooms.ts';

/** What all pods hold: rooms are asked of each, loads ride on the leases, places are kept. */
export class NatsDirectory implements Directory, Leaseholder {
  readonly #backbone: NatsBackbone;
  readonly #places: NatsPlaces;
  readonly #rooms: NatsRooms;
  #source: DirectorySource | undefined;
  /** Whether anybody was admitted by number: else there is nothing to take back. */
  #admits = false;

  constructor(backbone: NatsBackbone) {
    this.#backbone = backbone;
    this.#places = new NatsPlaces(backbone);
    this.#rooms = new NatsRooms(backbone, () => this.#source);
    backbone.lease.add(this);
  }

  start(source: DirectorySource): Promise<void> {
    this.#source = source;
    this.#writeLater();
    this.#lookLater();
    return Promise.resolve();
  }

  /** Each pod is asked when somebody wants to know. */
  changed(): void {}

  rooms(prefix: string, after: string, limit: number): Promise<Occupied[]> {
    return this.#rooms.page(prefix, after, limit);
  }

  async admit(userId: string, connectionId: string, most: number): Promise<boolean> {
    this.#admits = true;
    try {
      return await this.#places.take(userId, connectionId, most);
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      return (this.#source?.connectionsOf(userId).length ?? 0) < most;
    }
  }

  async release(userId: string, connectionId: string): Promise<void> {
    if (!this.#admits) return;
    // What could not be given back lapses with the lease.
    await this.#places.giveBack(userId, connectionId).catch((error: unknown) => this.#failed(error));
  }

  async loads(own: Load | undefined): Promise<readonly Load[]> {
    const { clock, leases, link } = this.#backbone;
    // Every pod's time is told by the clock that all share.
    const offset = link.now() - clock.elapsed();
    leases.load = own && { ...own, since: own.since + offset };
    const others = await leases.loads();
    return others.map((load) => ({ ...load, since: load.since - offset }));
  }

  /** Whoever was connected here is so no longer. */
  stop(): Promise<void> {
    this.#source = undefined;
    return Promise.resolve();
  }

  async rewriteAll(): Promise<void> {
    if (!this.#admits) return;
    const all = Array.from(this.#source?.connections() ?? []);
    await Promise.all(
      all.map(({ userId, connectionId }) => this.#places.take(userId, connectionId, Number.MAX_SAFE_INTEGER)),
    );
  }

  /** A dead pod's places do not count, and go when they are old. */
  reap(): Promise<void> {
    return Promise.resolve();
  }

  /** Before they are old, places of connections that last are taken again. */
  #writeLater(): void {
    this.#backbone.clock.after(PLACES_AGE_MS / 3, () => {
      if (this.#source === undefined) return;
      this.rewriteAll().catch((error: unknown) => this.#failed(error));
      this.#writeLater();
    });
  }

  #lookLater(): void {
    const { clock, link, lookMs } = this.#backbone;
    clock.after(lookMs, () => {
      if (this.#source === undefined) return;
      if (link.up) this.#places.restore().catch((error: unknown) => this.#failed(error));
      this.#lookLater();
    });
  }

  #failed(error: unknown): void {
    if (error instanceof Unavailable) return;
    this.#backbone.log.error({ err: error }, 'the directory could not be written');
  }
}
