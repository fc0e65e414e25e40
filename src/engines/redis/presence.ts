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

/** Added to the time within which every pod repairs its rows, so that the last one has finished. */
const MARGIN_MS = 1_000;

export interface RedisPresenceOptions {
  readonly backbone: Backbone;
  /** Presence expires this long after the last pod refreshed it. */
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
  readonly #pending: PendingWrites;
  readonly #upkeep: Upkeep;
  readonly #echoes: Echoes<true>;
  readonly #repaired: RepairedRooms;
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
    const refused = (membership: LocalMembership): void => this.#pending.add(membership);
    this.#writer = new MembershipWriter({ backbone, rows: this.#rows, caused, refused });
    this.#pending = new PendingWrites({
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
      repair: (gone) => this.#repair(gone),
      orphaned: (room, userId) => this.#adopt(room, userId),
    });
    this.#echoes = new Echoes(backbone.clock);
    this.#repaired = new RepairedRooms({
      clock: backbone.clock,
      check: (rooms) => this.#upkeep.check(rooms),
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

  async admit(room: string, who: Occupant, most: number, returns = false): Promise<boolean> {
    const isNew = this.#memberships.find(room, who) === undefined;
    await this.#write(room, who, undefined, returns, most);
    const isAdmitted = this.#memberships.find(room, who) !== undefined;
    if (isNew && !isAdmitted && !this.#memberships.has(room)) this.#rows.left(room);
    return isAdmitted;
  }

  async state(room: string, who: Occupant, statement: Statement, returns = false): Promise<PresenceChange> {
    const change = await this.#write(room, who, statement, returns);
    if (change === undefined) throw new Unavailable('the presence could not be written');
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
    if (membership !== undefined) this.#pending.delete(membership);
    const othersMs = this.#recoveries.waitFor(keys.presence(room));
    let left: Left;
    const change = await this.#announced(room, async (name) => {
      left = await this.#rows.exit(room, who, name, othersMs === 0).catch((error: unknown) => {
        if (error instanceof Unavailable) this.#pending.addExit(room, who);
        throw error;
      });
      return typeof left === 'object' ? left : undefined;
    });
    if (left === 'last') await this.#leaveLater(room, who, membership, othersMs);
    // Its row was written and never replaced, but is gone: rows of other connections may be, too.
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
    // Lost connections are not written again: their users are shown until the former lease is reaped.
    const all = Array.from(this.#memberships.rooms(), (room) => [...this.#memberships.in(room)]);
    const { lease } = this.#options.backbone;
    // A membership that another call is writing under this name must not be written twice.
    const isUnderWay = (membership: LocalMembership): boolean =>
      membership.writing?.name === lease.name && !this.#pending.has(membership);
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
      // Before the first change this pod has no members whose rows could be missing.
      if (this.#changes > 0) this.#recoveries.add(isAffected);
      void this.#pending.write((room) => isAffected(keys.presence(room))).catch(this.#failed);
    });
    placement.whenSubscribed((isAffected) =>
      this.#receiver?.uncertain((room) => isAffected(keys.roomChannel(room))),
    );
  }

  #take(room: string, { name, change, count, row }: PresenceEnvelope): void {
    if (change === 'mended') return this.#repaired.repaired(room);
    const known = changeOf(change, count, row);
    if (known !== undefined) this.#receiver?.changed(room, known);
    this.#echoes.heard(name, true);
  }

  /**
   * Writes lost rows again. Nobody joined or left; but all pods with members there are told that the room was repaired.
   */
  async #repair(gone: readonly LocalMembership[]): Promise<void> {
    if (gone.length === 0) return;
    const { lease } = this.#options.backbone;
    const rooms = Map.groupBy(gone, ({ room }) => room);
    // One that is being written, or whose lease has another name, is written anyway and may not have been there before.
    const isStill = (membership: LocalMembership): boolean =>
      this.#memberships.holds(membership) && isWritten(membership, lease.name);
    await this.#writer.write([...rooms.values()], isStill);
  }

  /** By then every pod has repaired the rows that are missing now. */
  get #repairedMs(): number {
    return this.#options.ttlMs / 3 + MARGIN_MS;
  }

  /** No connection of that user is known: unless a pod writes one again, the user leaves. */
  async #adopt(room: string, userId: string): Promise<void> {
    const who = { connectionId: `${this.#options.backbone.pod}-${(this.#changes += 1)}`, userId };
    // The full ttl: other pods may have a longer one configured and repair less often.
    await this.#leaveLater(room, who, undefined, this.#options.ttlMs);
  }

  /** Lets the user leave in `ms`, unless a pod writes another connection of the user again by then. */
  async #leaveLater(
    room: string,
    who: Occupant,
    former: LocalMembership | undefined,
    ms = this.#repairedMs,
  ): Promise<void> {
    const { clock, lease, failedWrites } = this.#options.backbone;
    // The connection may have joined again meanwhile.
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

  readonly #failed = (error: unknown): void => {
    if (!(error instanceof Unavailable))
      this.#options.backbone.log.error({ err: error }, 'presence could not be written');
  };

  /**
   * `statement` is undefined if the connection only joins. If more than `most` users would be present, the connection
   * does not become a member.
   */
  #write(
    room: string,
    who: Occupant,
    statement: Statement | undefined,
    returns: boolean,
    most?: number,
  ): Promise<PresenceChange | undefined> {
    const { clock, lease } = this.#options.backbone;
    const membership = this.#memberships.put(room, who, returns);
    const writing = { name: lease.name };
    membership.writing = writing;
    this.#pending.delete(membership);
    if (statement !== undefined) {
      const { status = membership.statement.status, meta = membership.statement.meta } = statement;
      membership.statement = { status, meta };
      membership.said = { elapsed: clock.elapsed() };
    }
    // An earlier statement may not be written yet.
    const unwritten =
      membership.said !== undefined && 'elapsed' in membership.said ? membership.said : undefined;
    const said = statement === undefined ? unwritten : ('now' as const);
    const entry = { ...entryOf(membership), statement: statement ?? membership.statement, said, most };
    return this.#announced(room, async (name) => {
      const [entered] = await this.#rows.enter(room, [entry], name).catch((error: unknown) => {
        // After Unavailable it is written once Redis is back. Any other error would recur, and the caller gets it.
        if (!(error instanceof Unavailable)) {
          if (membership.written === undefined) this.#memberships.take(room, who);
        } else if (membership.writing === writing && this.#memberships.holds(membership))
          this.#pending.add(membership);
        throw error;
      });
      if (entered?.isFull === true) this.#memberships.take(room, who);
      else if (membership.writing === writing) noteWritten(membership, writing.name, entered?.stamp);
      return entered?.change;
    });
  }

  /** Makes a change; resolves once this pod has received it too, if it has subscribed the room. */
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
