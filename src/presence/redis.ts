import type {
  Occupancy,
  Occupant,
  PresenceChange,
  PresenceReceiver,
  PresenceStore,
  Statement,
} from '../core/ports/presence-store.ts';
import { readScript, type Script } from '../redis/script.ts';
import { Away } from '../redis/away.ts';
import { ChangeEchoes } from './echoes.ts';
import type { Backbone } from '../redis/backbone.ts';
import type { Leaseholder } from '../redis/lease.ts';
import type { PresenceEnvelope } from '../redis/envelope.ts';
import type { Member } from '../protocol/event.ts';
import { readRow } from './row.ts';

const script = (name: string): Script => readScript(new URL(`lua/${name}.lua`, import.meta.url));
const ENTER = script('enter');
const EXIT = script('exit');
const LOSE = script('lose');
const BURY = script('bury');
const TOUCH = script('touch');
export const PRESENCE_SCRIPTS: readonly Script[] = [ENTER, EXIT, LOSE, BURY, TOUCH];

/** Rows read, connections written, places cleared and rooms kept in one step, so that no step keeps Redis for long. */
const ROWS = 500;
const CONNECTIONS = 100;
const PLACES = 100;
const ROOMS = 200;

export interface RedisPresenceOptions {
  readonly backbone: Backbone;
  /** How long presence outlives the last pod that keeps it. */
  readonly ttlMs: number;
  /** How long a pod that stops counts as there: its users may return to another. */
  readonly graceMs: number;
}

/** Nobody waits for a change of this name. */
const UNWATCHED = '-';

/** What Redis says of one connection that entered or left. */
interface Reply {
  /** Empty: nothing changed for others. */
  readonly kind: string;
  readonly count: number;
  readonly row: string;
}

interface Unwritten {
  readonly occupancy: Occupancy;
  /** It said something of itself, and did not only come. */
  readonly states: boolean;
}

/** The presence of all pods, in Redis (docs/adr/0008-presence-in-redis.md). */
export class RedisPresence implements PresenceStore, Leaseholder {
  readonly #options: RedisPresenceOptions;
  readonly #echoes: ChangeEchoes;
  /** What could not be written yet; whoever registers anew meanwhile writes it. */
  readonly #unwritten = new Map<string, Unwritten>();
  #receiver: PresenceReceiver | undefined;

  constructor(options: RedisPresenceOptions) {
    this.#options = options;
    const { backbone } = options;
    this.#echoes = new ChangeEchoes(backbone.clock);
    backbone.listen((room, envelope) => {
      if (envelope.kind === 'presence' && room !== undefined) this.#take(room, envelope);
    });
    backbone.lease.add(this);
    backbone.subscriptions.whenUp(() => this.#tellUncertain());
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
    const { link, keys } = this.#options.backbone;
    this.#unwritten.delete(placeOf(room, who));
    await link.call(LOSE, [keys.tabs(room)], [who.connectionId, who.userId]);
  }

  async exit(room: string, who: Occupant): Promise<PresenceChange | undefined> {
    const { link, keys, lease } = this.#options.backbone;
    this.#unwritten.delete(placeOf(room, who));
    const { name } = lease;
    const user = JSON.stringify(who.userId);
    return this.#announced(room, async (change) => {
      const reply = await link.call(
        EXIT,
        [keys.presence(room), keys.tabs(room), keys.podPresence(name)],
        [name, room, this.#seconds(), keys.roomChannel(room), who.connectionId, who.userId, user, change],
      );
      return replies(reply as unknown[])[0];
    });
  }

  async list(room: string, limit: number): Promise<{ members: Member[]; count: number }> {
    const { link, keys } = this.#options.backbone;
    const key = keys.presence(room);
    const count = await link.command((client) => client.hlen(key));
    // A hash that is being rebuilt may give a row twice.
    const rows = new Map<string, Member>();
    for (let cursor = '0'; count > 0 && rows.size < limit;) {
      const [next, found] = await link.command((client) => client.hscan(key, cursor, 'COUNT', ROWS));
      for (let at = 1; at < found.length && rows.size < limit; at += 2) {
        const member = readRow(found[at] ?? '');
        if (member !== undefined) rows.set(member.userId, member);
      }
      if (next === '0') break;
      cursor = next;
    }
    return { members: [...rows.values()], count };
  }

  async stop(): Promise<void> {
    this.#receiver = undefined;
    await this.#options.backbone.lease.stop(this.#options.graceMs);
  }

  #take(room: string, { name, change, count, row }: PresenceEnvelope): void {
    const known = changeOf({ kind: change, count, row });
    if (known !== undefined) this.#receiver?.changed(room, known);
    this.#echoes.heard(name);
  }

  async registerAnew(): Promise<void> {
    const said = [...this.#unwritten.values()];
    await this.#enterAll(
      said.filter(({ states }) => states).map(({ occupancy }) => occupancy),
      true,
    );
    await this.#enterAll(
      [...said.map(({ occupancy }) => occupancy), ...(this.#receiver?.present() ?? [])],
      false,
    );
    for (const { occupancy } of said) this.#unwritten.delete(placeOf(occupancy.room, occupancy.who));
    this.#tellUncertain();
  }

  /** After an absence of either connection, once both are there. */
  #tellUncertain(): void {
    const { link, subscriptions } = this.#options.backbone;
    if (link.up && subscriptions.up) this.#receiver?.uncertain();
  }

  async bury(pod: string): Promise<void> {
    const { link, keys } = this.#options.backbone;
    const starts = [keys.presence(''), keys.tabs(''), keys.roomChannel('')];
    for (;;) {
      const args = [pod, PLACES, this.#seconds(), ...starts, UNWATCHED];
      const [seen, ...left] = (await link.call(BURY, [keys.podPresence(pod)], args)) as [
        number,
        ...unknown[],
      ];
      for (let at = 0; at < left.length; at += 3) {
        this.#caused(String(left[at]), {
          kind: 'leave',
          count: Number(left[at + 1]),
          row: String(left[at + 2]),
        });
      }
      if (seen < PLACES) return;
    }
  }

  async #enterAll(occupancies: readonly Occupancy[], states: boolean): Promise<void> {
    for (const [room, all] of Map.groupBy(occupancies, (occupancy) => occupancy.room)) {
      for (let at = 0; at < all.length; at += CONNECTIONS) {
        const part = all.slice(at, at + CONNECTIONS);
        for (const reply of await this.#enter(room, part, states, UNWATCHED)) this.#caused(room, reply);
      }
    }
  }

  #caused(room: string, reply: Reply): void {
    const change = changeOf(reply);
    if (change !== undefined) this.#receiver?.caused(room, change);
  }

  async #write(occupancy: Occupancy, states: boolean): Promise<PresenceChange | undefined> {
    const { room, who } = occupancy;
    this.#unwritten.set(placeOf(room, who), { occupancy, states });
    const change = await this.#announced(room, async (name) => {
      const [reply] = await this.#enter(room, [occupancy], states, name);
      this.#unwritten.delete(placeOf(room, who));
      return reply;
    });
    return change;
  }

  async #enter(room: string, all: readonly Occupancy[], states: boolean, change: string): Promise<Reply[]> {
    const { ttlMs, backbone } = this.#options;
    const { keys, lease, link } = backbone;
    const { name } = lease;
    const args = all.flatMap(({ who, statement: { status = '', meta = '' } }) => {
      const user = JSON.stringify(who.userId);
      return [who.connectionId, who.userId, user, states ? '1' : '', status, meta, change];
    });
    const reply = await link.call(
      ENTER,
      [keys.presence(room), keys.tabs(room), keys.podPresence(name), keys.pods],
      [name, room, this.#seconds(), ttlMs, keys.roomChannel(room), ...args],
    );
    if (Array.isArray(reply)) return replies(reply);
    lease.lapsed(name);
    throw new Away('this pod counts as dead and registers anew');
  }

  /** Makes a change; resolves once this pod has heard of it too, if it listens. */
  async #announced(
    room: string,
    make: (change: string) => Promise<Reply | undefined>,
  ): Promise<PresenceChange | undefined> {
    const { subscriptions, keys, lease } = this.#options.backbone;
    const name = this.#echoes.expect(lease.name);
    try {
      const reply = await make(name);
      const change = reply === undefined ? undefined : changeOf(reply);
      if (change !== undefined && subscriptions.has(keys.roomChannel(room))) await this.#echoes.wait(name);
      return change;
    } finally {
      this.#echoes.forget(name);
    }
  }

  #touchLater(): void {
    const { ttlMs, backbone } = this.#options;
    const { clock, log } = backbone;
    clock.after(ttlMs / 3, () => {
      if (this.#receiver === undefined) return;
      this.#touch(this.#receiver).catch((error: unknown) => {
        if (!(error instanceof Away)) log.error({ err: error }, 'presence could not be kept');
      });
      this.#touchLater();
    });
  }

  async #touch(receiver: PresenceReceiver): Promise<void> {
    const { ttlMs, backbone } = this.#options;
    const { keys, lease, link } = backbone;
    const { name } = lease;
    const rooms = [...new Set(Array.from(receiver.present(), ({ room }) => room))];
    for (let at = 0; at < rooms.length; at += ROOMS) {
      const part = rooms.slice(at, at + ROOMS).flatMap((room) => [keys.presence(room), keys.tabs(room)]);
      if (Number(await link.call(TOUCH, part, [ttlMs])) > 0) lease.lapsed(name);
    }
  }

  #seconds(): number {
    return Math.floor(this.#options.backbone.link.now() / 1_000);
  }
}

function placeOf(room: string, { connectionId }: Occupant): string {
  return `${room}\n${connectionId}`;
}

function replies(flat: readonly unknown[]): Reply[] {
  const all: Reply[] = [];
  for (let at = 0; at < flat.length; at += 3) {
    all.push({ kind: String(flat[at]), count: Number(flat[at + 1]), row: String(flat[at + 2]) });
  }
  return all;
}

function changeOf({ kind, count, row }: Reply): PresenceChange | undefined {
  if (kind !== 'join' && kind !== 'update' && kind !== 'leave') return undefined;
  const member = readRow(row);
  return member === undefined ? undefined : { kind, member, count };
}
