import { changeOf, type Left, RedisRows, UNTOLD } from './presence/rows.ts';
import type {
  Occupant,
  PresenceChange,
  PresenceReceiver,
  PresenceStore,
  Statement,
} from '../../core/ports/presence-store.ts';
import {
  isWritten,
  noteWritten,
  type LocalMembership,
  LocalMemberships,
} from './presence/local-memberships.ts';
import { Unavailable } from '../shared/unavailable.ts';
import type { Backbone } from './connection/backbone.ts';
import { RecentRecoveries } from './presence/recent-recoveries.ts';
import { entryOf, MembershipWriter } from './presence/membership-writer.ts';
import { Echoes } from '../shared/echoes.ts';
import type { Leaseholder } from '../shared/lease.ts';
import type { Member } from '../../protocol/event.ts';
import type { PresenceEnvelope } from '../shared/envelope.ts';
import { RepairedRooms } from './presence/repaired-rooms.ts';
import { PresenceReaper } from './presence/reaper.ts';
import { PendingWrites } from './presence/pending-writes.ts';
import { SharedReads } from '../shared/shared-reads.ts';
import { Upkeep } from './presence/upkeep.ts';

/** What all pods look after within a time they have done so much later at the latest. */
const MARGIN_MS = 1_000;

export interface RedisPresenceOptions {
  readonly backbone: Backbone;
  /** How long presence outlives the last pod that keeps it. */
  readonly ttlMs: number;
  /** From 0 to 1, as Math.random. */
  readonly random: () => number;
}

/** The presence of all pods, in Redis (docs/adr/0007-presence-in-redis.md). */
export class RedisPresence implements PresenceStore, Leaseholder {
  readonly #options: RedisPresenceOptions;
  readonly #memberships = new LocalMemberships();
  readonly #rows: RedisRows;
  readonly #reaper: PresenceReaper;
  readonly #writer: MembershipWriter;
  readonly #refused: PendingWrites;
  readonly #upkeep: Upkeep;
  readonly #echoes: Echoes<true>;
  readonly #mended: RepairedRooms;
  readonly #recoveries: RecentRecoveries;
  #changes = 0;
  /** By limit and room. */
  readonly #lists = new SharedReads((name) => {
    const [limit = '', room = ''] = name.split(' ');
    return this.#rows.list(room, Number(limit));
  });
  #receiver: PresenceReceiver | undefined;

  constructor(options: RedisPresenceOptions) {
    const { backbone, ttlMs, random } = options;
    this.#options = options;
    this.#rows = new RedisRows(backbone, ttlMs);
    this.#reaper = new PresenceReaper(backbone);
    const caused = (room: string, change: PresenceChange): void => this.#receiver?.caused(room, change);
    const refused = (membership: LocalMembership): void => this.#refused.add(membership);
    this.#writer = new MembershipWriter({ backbone, rows: this.#rows, caused, refused });
    this.#refused = new PendingWrites({
      memberships: this.#memberships,
      writer: this.#writer,
      lease: backbone.lease,
      leave: (room, who) => this.#leave(room, who),
    });
    this.#upkeep = new Upkeep({
      backbone,
      rows: this.#rows,
      reaper: this.#reaper,
      memberships: this.#memberships,
      ttlMs,
      random,
      mend: (gone) => this.#mend(gone),
      orphaned: (room, userId) => this.#adopt(room, userId),
    });
    this.#echoes = new Echoes(backbone.clock);
    this.#mended = new RepairedRooms({
      clock: backbone.clock,
      lookAfter: (rooms) => this.#upkeep.lookAfter(rooms),
      tell: (isAffected) => this.#receiver?.uncertain(isAffected),
    });
    this.#recoveries = new RecentRecoveries(backbone.clock, backbone.leaseMs);
    backbone.listen((room, envelope) => {
      if (envelope.kind === 'presence' && room !== undefined) this.#take(room, envelope);
    });
    backbone.lease.add(this);
    this.#followServers();
  }

  start(receiver: PresenceReceiver): Promise<void> {
    this.#receiver = receiver;
    this.#upkeep.start();
    return Promise.resolve();
  }

  enter(room: string, who: Occupant, returns = false): Promise<PresenceChange | undefined> {
    return this.#write(room, who, undefined, returns);
  }

  async state(room: string, who: Occupant, statement: Statement, returns = false): Promise<PresenceChange> {
    const change = await this.#write(room, who, statement, returns);
    if (change === undefined) throw new Unavailable('the statement was not taken');
    return change;
  }

  async lose(room: string, who: Occupant): Promise<void> {
    const membership = this.#memberships.find(room, who);
    if (membership !== undefined) membership.lost = true;
    await this.#options.backbone.failedWrites.track(this.#rows.lose(room, who));
  }

  async exit(room: string, who: Occupant): Promise<PresenceChange | undefined> {
    const { keys, lease } = this.#options.backbone;
    const membership = this.#memberships.take(room, who);
    if (membership !== undefined) this.#refused.delete(membership);
    const othersMs = this.#recoveries.waitFor(keys.presence(room));
    let left: Left;
    const change = await this.#announced(room, async (name) => {
      left = await this.#rows.exit(room, who, name, othersMs === 0).catch((error: unknown) => {
        if (error instanceof Unavailable) this.#refused.addExit(room, who);
        throw error;
      });
      return typeof left === 'object' ? left : undefined;
    });
    if (left === 'last') await this.#leaveLater(room, who, membership, othersMs);
    // It was written, and no other connection has taken its place: what was written is gone, of others perhaps as well.
    const wasThere = membership !== undefined && !membership.lost && isWritten(membership, lease.name);
    if (left === 'orphaned' || (left === 'unknown' && wasThere))
      await this.#leaveLater(room, who, membership);
    if (!this.#memberships.has(room)) this.#rows.left(room);
    return change;
  }

  list(room: string, limit: number): Promise<{ members: Member[]; count: number }> {
    return this.#lists.read(`${limit} ${room}`);
  }

  async stop(graceMs: number): Promise<void> {
    this.#receiver = undefined;
    this.#upkeep.stop();
    await this.#options.backbone.lease.stop(graceMs);
  }

  async rewriteAll(): Promise<void> {
    // Whoever was lost is shown until the former lease ends.
    const all = Array.from(this.#memberships.rooms(), (room) => [...this.#memberships.in(room)]);
    const { lease } = this.#options.backbone;
    // What is being written under this name already is not written by us as well.
    const isUnderWay = (membership: LocalMembership): boolean =>
      membership.writing?.name === lease.name && !this.#refused.has(membership);
    const isStill = (membership: LocalMembership): boolean =>
      !membership.lost && this.#memberships.holds(membership) && !isUnderWay(membership);
    await this.#writer.write(all, isStill);
    this.#receiver?.uncertain(() => true);
  }

  async reap(pod: string): Promise<void> {
    await this.#reaper.reap(pod, ({ room, change }) => this.#receiver?.caused(room, change));
  }

  #followServers(): void {
    const { keys, placement } = this.#options.backbone;
    placement.whenUp((isAffected) => {
      // At a start there is nobody yet of whom something could be missing.
      if (this.#changes > 0) this.#recoveries.add(isAffected);
      void this.#writeRefused((room) => isAffected(keys.presence(room)));
    });
    placement.whenSubscribed((isAffected) =>
      this.#receiver?.uncertain((room) => isAffected(keys.roomChannel(room))),
    );
  }

  #take(room: string, { name, change, count, row }: PresenceEnvelope): void {
    if (change === 'mended') return this.#mended.mended(room);
    const known = changeOf(change, count, row);
    if (known !== undefined) this.#receiver?.changed(room, known);
    this.#echoes.heard(name, true);
  }

  /** What is gone is written anew. Nobody came or left; but all pods hear of it whose members may be told of too few. */
  async #mend(gone: readonly LocalMembership[]): Promise<void> {
    if (gone.length === 0) return;
    const { lease } = this.#options.backbone;
    const rooms = Map.groupBy(gone, ({ room }) => room);
    // Whoever is being written, or registered anew, may not have been there before.
    const isStill = (membership: LocalMembership): boolean =>
      this.#memberships.holds(membership) && isWritten(membership, lease.name);
    await this.#writer.write([...rooms.values()], isStill);
  }

  /** By then every pod has written anew what is gone of its members now. */
  get #mendedMs(): number {
    return this.#options.ttlMs / 3 + MARGIN_MS;
  }

  /** Nobody knows a connection of that user: if no pod has one that was gone only, the user leaves. */
  async #adopt(room: string, userId: string): Promise<void> {
    const who = { connectionId: `${this.#options.backbone.pod}-${(this.#changes += 1)}`, userId };
    // Other pods may look after their members less often than this one does.
    await this.#leaveLater(room, who, undefined, this.#options.ttlMs);
  }

  /** The user may be there through another connection of which nothing is known at present. */
  async #leaveLater(
    room: string,
    who: Occupant,
    former: LocalMembership | undefined,
    ms = this.#mendedMs,
  ): Promise<void> {
    const { clock, lease, failedWrites } = this.#options.backbone;
    // The connection has joined again meanwhile.
    if (this.#memberships.find(room, who) !== undefined) return;
    const membership = this.#memberships.put(room, who);
    const { statement = {}, said } = former ?? {};
    Object.assign(membership, { statement, said, lost: true, written: lease.name });
    clock.after(ms, () => {
      if (membership.lost && this.#memberships.holds(membership)) void this.#leave(room, who);
    });
    await failedWrites.track(this.#rows.enter(room, [entryOf(membership)], UNTOLD));
  }

  async #leave(room: string, who: Occupant): Promise<void> {
    try {
      const change = await this.exit(room, who);
      if (change !== undefined) this.#receiver?.caused(room, change);
    } catch (error) {
      this.#failed(error);
    }
  }

  async #writeRefused(isAffected: (room: string) => boolean): Promise<void> {
    await this.#refused.write(isAffected).catch(this.#failed);
  }

  readonly #failed = (error: unknown): void => {
    if (!(error instanceof Unavailable))
      this.#options.backbone.log.error({ err: error }, 'presence could not be changed');
  };

  /** `statement`: undefined where it only comes. */
  #write(
    room: string,
    who: Occupant,
    statement: Statement | undefined,
    returns: boolean,
  ): Promise<PresenceChange | undefined> {
    const { clock, lease } = this.#options.backbone;
    const membership = this.#memberships.put(room, who, returns);
    const writing = { name: lease.name };
    membership.writing = writing;
    this.#refused.delete(membership);
    if (statement !== undefined) {
      const { status = membership.statement.status, meta = membership.statement.meta } = statement;
      membership.statement = { status, meta };
      membership.said = { elapsed: clock.elapsed() };
    }
    // What it said before may not be written yet.
    const unwritten =
      membership.said !== undefined && 'elapsed' in membership.said ? membership.said : undefined;
    const said = statement === undefined ? unwritten : ('now' as const);
    const entry = { ...entryOf(membership), statement: statement ?? membership.statement, said };
    return this.#announced(room, async (name) => {
      const [entered] = await this.#rows.enter(room, [entry], name).catch((error: unknown) => {
        // Whoever is away is written when it is back; what is wrong stays so, and whoever asked is told that it failed.
        if (!(error instanceof Unavailable)) {
          if (membership.written === undefined) this.#memberships.take(room, who);
        } else if (membership.writing === writing && this.#memberships.holds(membership))
          this.#refused.add(membership);
        throw error;
      });
      if (membership.writing === writing) noteWritten(membership, writing.name, entered?.stamp);
      return entered?.change;
    });
  }

  /** Makes a change; resolves once this pod has heard of it too, if it listens. */
  async #announced(
    room: string,
    make: (name: string) => Promise<PresenceChange | undefined>,
  ): Promise<PresenceChange | undefined> {
    const { placement, keys, failedWrites, pod } = this.#options.backbone;
    const name = `${pod}:${(this.#changes += 1)}`;
    this.#echoes.expect(name);
    try {
      const change = await failedWrites.track(make(name));
      if (change !== undefined && placement.channels.isSubscribed(keys.roomChannel(room)))
        await this.#echoes.wait(name);
      return change;
    } finally {
      this.#echoes.forget(name);
    }
  }
}
