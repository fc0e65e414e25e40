import type {
  Occupancy,
  Occupant,
  PresenceChange,
  PresenceReceiver,
  PresenceStore,
  Statement,
} from '../core/ports/presence-store.ts';
import { changeOf, type Entry, RedisRows, UNWATCHED } from './redis-rows.ts';
import { Away } from '../pods/away.ts';
import type { Backbone } from '../redis/backbone.ts';
import { Echoes } from '../pods/echoes.ts';
import type { Leaseholder } from '../pods/lease.ts';
import type { Member } from '../protocol/event.ts';
import { SharedReads } from './shared-reads.ts';
import type { PresenceEnvelope } from '../pods/envelope.ts';

/** Connections of a room written in one step, and rooms written at once. */
const CONNECTIONS = 100;
const ROOMS = 50;

export interface RedisPresenceOptions {
  readonly backbone: Backbone;
  /** How long presence outlives the last pod that keeps it. */
  readonly ttlMs: number;
}

interface Unwritten {
  readonly occupancy: Occupancy;
  /** When it said something of itself, by the clock that only goes forward; undefined: it only came. */
  readonly said: number | undefined;
  /** The pod's name under which it is being written. */
  readonly name: string;
}

/** The presence of all pods, in Redis (docs/adr/0007-presence-in-redis.md). */
export class RedisPresence implements PresenceStore, Leaseholder {
  readonly #options: RedisPresenceOptions;
  readonly #rows: RedisRows;
  readonly #echoes: Echoes<true>;
  #changes = 0;
  /** By limit and room. */
  readonly #lists = new SharedReads((name) => {
    const [limit = '', room = ''] = name.split(' ');
    return this.#rows.list(room, Number(limit));
  });
  /** What could not be written yet; whoever registers anew meanwhile writes it. */
  readonly #unwritten = new Map<string, Unwritten>();
  /** Who has left a room since the pod began to register anew; undefined while it does not. */
  #gone: Set<string> | undefined;
  #receiver: PresenceReceiver | undefined;

  constructor(options: RedisPresenceOptions) {
    const { backbone, ttlMs } = options;
    this.#options = options;
    this.#rows = new RedisRows(backbone, ttlMs);
    this.#echoes = new Echoes(backbone.clock);
    backbone.listen((room, envelope) => {
      if (envelope.kind === 'presence' && room !== undefined) this.#take(room, envelope);
    });
    backbone.lease.add(this);
    const { keys, placement } = backbone;
    placement.whenHeard((concerns) => this.#receiver?.uncertain((room) => concerns(keys.roomChannel(room))));
  }

  start(receiver: PresenceReceiver): Promise<void> {
    this.#receiver = receiver;
    this.#touchLater();
    return Promise.resolve();
  }

  enter(room: string, who: Occupant): Promise<PresenceChange | undefined> {
    return this.#write({ room, who, statement: {} }, false);
  }

  async state(room: string, who: Occupant, statement: Statement): Promise<PresenceChange> {
    const change = await this.#write({ room, who, statement }, true);
    if (change === undefined) throw new Away('the statement was not taken');
    return change;
  }

  async lose(room: string, who: Occupant): Promise<void> {
    this.#unwritten.delete(placeOf(room, who));
    this.#gone?.add(placeOf(room, who));
    await this.#options.backbone.missed.noting(this.#rows.lose(room, who));
  }

  exit(room: string, who: Occupant): Promise<PresenceChange | undefined> {
    this.#unwritten.delete(placeOf(room, who));
    this.#gone?.add(placeOf(room, who));
    return this.#announced(room, (name) => this.#rows.exit(room, who, name));
  }

  list(room: string, limit: number): Promise<{ members: Member[]; count: number }> {
    return this.#lists.read(`${limit} ${room}`);
  }

  async stop(graceMs: number): Promise<void> {
    this.#receiver = undefined;
    await this.#options.backbone.lease.stop(graceMs);
  }

  async registerAnew(): Promise<void> {
    this.#gone = new Set();
    try {
      await this.#register();
    } finally {
      this.#gone = undefined;
    }
    this.#receiver?.uncertain(() => true);
  }

  async #register(): Promise<void> {
    // What is being written under this name already is not written by us as well.
    const { name } = this.#options.backbone.lease;
    const said = [...this.#unwritten.values()].filter((one) => one.name !== name);
    const all = said.map(({ occupancy }) => occupancy).concat([...(this.#receiver?.present() ?? [])]);
    await this.#enterAll(said.filter((one) => one.said !== undefined));
    await this.#enterAll(all.map((occupancy) => ({ occupancy, said: undefined })));
  }

  async bury(pod: string): Promise<void> {
    await this.#rows.bury(pod, ({ room, change }) => this.#receiver?.caused(room, change));
  }

  #take(room: string, { name, change, count, row }: PresenceEnvelope): void {
    const known = changeOf(change, count, row);
    if (known !== undefined) this.#receiver?.changed(room, known);
    this.#echoes.heard(name, true);
  }

  async #enterAll(entries: readonly Entry[]): Promise<void> {
    const rooms = [...Map.groupBy(entries, ({ occupancy }) => occupancy.room)];
    for (let at = 0; at < rooms.length; at += ROOMS) {
      const some = rooms.slice(at, at + ROOMS);
      await Promise.all(some.map(([room, all]) => this.#enterIfThere(room, all)));
    }
  }

  /** Rooms whose server is away, or that are on their way, are no reason to leave the others out. */
  async #enterIfThere(room: string, all: readonly Entry[]): Promise<void> {
    try {
      await this.#options.backbone.missed.noting(this.#enterRoom(room, all));
    } catch (error) {
      if (!(error instanceof Away)) throw error;
    }
  }

  async #enterRoom(room: string, all: readonly Entry[]): Promise<void> {
    for (let at = 0; at < all.length; at += CONNECTIONS) {
      const part = all.slice(at, at + CONNECTIONS);
      const still = part.filter((one) => this.#isStill(one));
      if (still.length === 0) continue;
      const changes = await this.#rows.enter(room, still, UNWATCHED);
      for (const change of changes) if (change !== undefined) this.#receiver?.caused(room, change);
      for (const one of still) this.#written(one);
    }
  }

  /** Unless something else has been said since, or what was said could not be written with it. */
  #written({ occupancy, said }: Entry): void {
    const place = placeOf(occupancy.room, occupancy.who);
    const one = this.#unwritten.get(place);
    if (one?.occupancy === occupancy && one.said === said) this.#unwritten.delete(place);
  }

  /** It is there, and what it says has not been said anew since it was to be written: then that must not come after it. */
  #isStill({ occupancy, said }: Entry): boolean {
    const place = placeOf(occupancy.room, occupancy.who);
    if (this.#gone?.has(place) === true) return false;
    return said === undefined || this.#unwritten.get(place)?.occupancy === occupancy;
  }

  #write(occupancy: Occupancy, states: boolean): Promise<PresenceChange | undefined> {
    const { room, who } = occupancy;
    const { clock, lease } = this.#options.backbone;
    const place = placeOf(room, who);
    const one = { occupancy, said: states ? clock.elapsed() : undefined, name: lease.name };
    this.#unwritten.set(place, one);
    this.#gone?.delete(place);
    return this.#announced(room, async (name) => {
      const entry = { occupancy, said: states ? ('now' as const) : undefined };
      const [change] = await this.#rows.enter(room, [entry], name);
      if (this.#unwritten.get(place) === one) this.#unwritten.delete(place);
      return change;
    });
  }

  /** Makes a change; resolves once this pod has heard of it too, if it listens. */
  async #announced(
    room: string,
    make: (name: string) => Promise<PresenceChange | undefined>,
  ): Promise<PresenceChange | undefined> {
    const { placement, keys, missed, pod } = this.#options.backbone;
    const name = `${pod}:${(this.#changes += 1)}`;
    this.#echoes.expect(name);
    try {
      const change = await missed.noting(make(name));
      if (change !== undefined && placement.hears(keys.roomChannel(room))) await this.#echoes.wait(name);
      return change;
    } finally {
      this.#echoes.forget(name);
    }
  }

  #touchLater(): void {
    const { ttlMs, backbone } = this.#options;
    backbone.clock.after(ttlMs / 3, () => {
      if (this.#receiver === undefined) return;
      this.#touch(this.#receiver).catch((error: unknown) => {
        if (!(error instanceof Away)) backbone.log.error({ err: error }, 'presence could not be kept');
      });
      this.#touchLater();
    });
  }

  async #touch(receiver: PresenceReceiver): Promise<void> {
    const { lease } = this.#options.backbone;
    const { name } = lease;
    const rooms = (): Set<string> => new Set(Array.from(receiver.present(), ({ room }) => room));
    const gone = await this.#rows.touch([...rooms()]);
    // The last one may have left meanwhile.
    if (gone.size > 0 && Array.from(rooms()).some((room) => gone.has(room))) lease.lapsed(name);
  }
}

function placeOf(room: string, { connectionId }: Occupant): string {
  return `${room}\n${connectionId}`;
}
