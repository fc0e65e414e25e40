import type {
  Occupant,
  PresenceChange,
  PresenceReceiver,
  PresenceStore,
  Statement,
} from '../../core/ports/presence-store.ts';
import { Follower, type Row } from './connection/follower.ts';
import { type LeaseName, Union } from './presence/union.ts';
import { leaseNameOf, nameOfLease, type PresenceEntry, readEntry } from './presence/row.ts';
import { Unavailable } from '../shared/unavailable.ts';
import { Tombstones } from './presence/tombstones.ts';
import type { Leaseholder } from '../shared/lease.ts';
import type { Member } from '../../protocol/event.ts';
import type { NatsBackbone } from './connection/backbone.ts';
import { UnknownLeases } from './presence/unknown-leases.ts';
import type { OwnMember } from './presence/own-member.ts';
import { OwnRows } from './presence/own-rows.ts';
import { every } from '../../core/base/every.ts';
import { ignored } from '../shared/ignored.ts';
import { pause } from '../../core/base/pause.ts';
import { ROW_AGE_MS } from './connection/streams.ts';
import { SharedReads } from '../shared/shared-reads.ts';

export interface NatsPresenceOptions {
  readonly backbone: NatsBackbone;
  /** Whether this pod has subscribed the room. */
  readonly isSubscribed: (room: string) => boolean;
}

/** The pause before another attempt to read all rows. */
const AGAIN_MS = 1_000;

type RowEntry = Extract<PresenceEntry, { kind: 'row' }>;

/**
 * The presence of all pods. Each pod writes rows of its own users into one stream, and combines the rows of all pods in
 * a `Union` (docs/adr/0014-presence-in-nats.md).
 */
export class NatsPresence implements PresenceStore, Leaseholder {
  readonly #options: NatsPresenceOptions;
  readonly #tombstones: Tombstones;
  readonly #own: OwnRows;
  readonly #follower: Follower;
  /** By pod, the last generation of its leases that has ended. */
  readonly #ended = new Map<string, number>();
  #union = new Union(this.#ended);
  /** Set while all rows are read from the start: the union that they go into. */
  #fresh: Union | undefined;
  readonly #upToDate = new SharedReads(() => this.#follower.upToDate());
  readonly #unknownLeases: UnknownLeases;
  #receiver: PresenceReceiver | undefined;
  #stopReaping: () => void = ignored;

  constructor(options: NatsPresenceOptions) {
    const { backbone } = options;
    this.#options = options;
    this.#tombstones = new Tombstones(backbone);
    this.#own = new OwnRows(backbone, this.#tombstones);
    const reader = {
      begin: (silentMs: number) => this.#begin(silentMs),
      take: (row: Row) => this.#take(row),
      current: () => this.#current(),
    };
    const { link, clock, log, names, pod } = backbone;
    this.#follower = new Follower({ link, clock, log, names, pod, what: 'presence', reader });
    this.#unknownLeases = new UnknownLeases(backbone.leases, (lease) => this.#tombstones.write(lease));
    backbone.lease.add(this);
  }

  start(receiver: PresenceReceiver): Promise<void> {
    this.#receiver = receiver;
    this.#own.start();
    const { clock, leaseMs } = this.#options.backbone;
    this.#stopReaping = every(clock, leaseMs, () => {
      if (this.#fresh === undefined) this.#unknownLeases.reap(this.#union.leases());
    });
    return Promise.resolve();
  }

  enter(room: string, who: Occupant, returns = false): Promise<PresenceChange | undefined> {
    const own = this.#openOwn(room, who.userId);
    own.enter(who, this.#own.seconds(), returns);
    return this.#own.write(own, 'enter');
  }

  async admit(room: string, who: Occupant, most: number, returns = false): Promise<boolean> {
    await this.#upToDate.read('');
    const isPresent = this.#union.find(room, who.userId) !== undefined;
    if (!isPresent && this.#union.count(room) >= most) return false;
    await this.enter(room, who, returns);
    return true;
  }

  async state(room: string, who: Occupant, statement: Statement, returns = false): Promise<PresenceChange> {
    const own = this.#openOwn(room, who.userId);
    const at = { seconds: this.#own.seconds(), statedAt: this.#moment(own.statedAt) };
    own.state(who, statement, at, returns);
    const change = await this.#own.write(own, 'state');
    const { member } = own.row;
    return change ?? { kind: 'update', member, count: this.#union.count(room) };
  }

  async lose(room: string, who: Occupant): Promise<void> {
    const own = this.#own.find(room, who.userId);
    if (own?.lose(who, this.#moment(0)) === true) await this.#own.write(own, 'lose');
  }

  async exit(room: string, who: Occupant): Promise<PresenceChange | undefined> {
    const own = this.#own.find(room, who.userId);
    const uncertain = this.#mayBeElsewhere(room, who.userId) ? own?.row : undefined;
    if (own?.exit(who, this.#own.seconds()) !== true) return undefined;
    if (uncertain !== undefined && own.isGone) this.#own.keepUnderFormer(room, uncertain);
    return this.#own.write(own, 'exit');
  }

  async list(room: string, limit: number): Promise<{ members: Member[]; count: number }> {
    await this.#upToDate.read('');
    return this.#union.list(room, limit);
  }

  async stop(graceMs: number): Promise<void> {
    this.#receiver = undefined;
    this.#stopReaping();
    await this.#own.stop(() => this.#options.backbone.lease.stop(graceMs));
    this.#follower.stop();
  }

  rewriteAll(): Promise<void> {
    return this.#own.rewriteAll();
  }

  reap(pod: string): Promise<void> {
    return this.#tombstones.write(leaseNameOf(pod));
  }

  /** This pod's member, with what the user stated on other pods while present there. */
  #openOwn(room: string, userId: string): OwnMember {
    const { pod } = this.#options.backbone;
    const known = this.#union.find(room, userId);
    if (this.#union.isElsewhere(room, userId, pod)) return this.#own.open(room, userId, known);
    const before = this.#own.find(room, userId);
    const own = before ?? this.#own.open(room, userId, undefined);
    // The user left, but the leave has not come by the stream yet.
    const hasLeft = own.isGone && (before ?? known) !== undefined;
    if (hasLeft) own.resetStatement(this.#moment(Math.max(own.statedAt, known?.statedAt ?? 0)));
    return own;
  }

  /** After an outage: whether the user may also be on pods that reconnect later and have not written their rows yet. */
  #mayBeElsewhere(room: string, userId: string): boolean {
    const { former, present } = this.#own;
    if (former === undefined || present === undefined || this.#union.isEnded(former)) return false;
    return this.#union.isOnlyUnder(room, userId, present);
  }

  /**
   * All rows are read from the start. The known ones stay, so that the leaves since then are still noticed. After a
   * long outage rows of users who left may have expired, so a new union begins.
   */
  #begin(silentMs: number): void {
    this.#fresh = silentMs > ROW_AGE_MS / 2 ? new Union(this.#ended) : this.#union;
  }

  #take({ subject, data, sequence }: Row): void {
    const entry = readEntry(subject, data);
    if (entry?.kind === 'row') this.#takeRow(entry, sequence);
    if (entry?.kind === 'end') this.#takeEnd(entry.lease, entry.at, entry.by);
  }

  #takeRow({ room, lease, row }: RowEntry, sequence: number): void {
    const union = this.#fresh ?? this.#union;
    const { change, came } = union.put(room, lease, row, sequence);
    if (change !== undefined) this.#announce(room, change);
    const isOurs = this.#own.isUnder(lease);
    if (isOurs) {
      const isTold = this.#own.received(room, row, change, union.count(room));
      if (change !== undefined && !isTold) this.#receiver?.caused(room, change);
    }
    if (this.#fresh !== undefined) return;
    if (came > 0) this.#returned(room, row.member.userId, isOurs);
    if (row.connections === 0) this.#takeOver(this.#own.find(room, row.member.userId));
  }

  #takeEnd(lease: LeaseName, at: number, by: string): void {
    const { lease: own } = this.#options.backbone;
    // Another pod took this one for dead.
    if (this.#own.isUnder(lease)) own.lapsed(nameOfLease(lease));
    const someLeft = (this.#fresh ?? this.#union).endLease(lease, at, by);
    if (this.#fresh !== undefined) return;
    if (someLeft) void this.#announceLeaves(this.#union);
    for (const one of this.#own.all) this.#takeOver(one);
  }

  /** Waits until all stored rows have come: a later one may say that a user is present under another lease. */
  async #announceLeaves(union: Union): Promise<void> {
    const { clock, log } = this.#options.backbone;
    while (this.#receiver !== undefined) {
      const error: unknown = await this.#upToDate.read('').catch((reason: unknown) => reason);
      if (error === undefined || union !== this.#union) {
        this.#announceLeft(union);
        return;
      }
      if (!(error instanceof Unavailable)) log.error({ err: error }, 'presence could not be read');
      await pause(clock, AGAIN_MS);
    }
  }

  #announceLeft(union: Union): void {
    for (const { room, change, by } of union.takeLeft()) {
      if (union === this.#union) this.#announce(room, change);
      // If all rows were read again since, the user may be present.
      const isGone = this.#union.find(room, change.member.userId) === undefined;
      if (isGone && by === this.#options.backbone.pod) this.#receiver?.caused(room, change);
    }
  }

  #current(): void {
    this.#union = this.#fresh ?? this.#union;
    // `#fresh` is still set, so members get no events: `uncertain` makes them reload the list.
    this.#announceLeft(this.#union);
    this.#fresh = undefined;
    this.#receiver?.uncertain(() => true);
  }

  #announce(room: string, change: PresenceChange): void {
    if (this.#fresh === undefined && this.#options.isSubscribed(room)) this.#receiver?.changed(room, change);
  }

  /** A connection has returned. The pod that has the user's first lost connection removes that one. */
  #returned(room: string, userId: string, isOurs: boolean): void {
    const lost = this.#union.earliestLost(room, userId);
    if (lost === undefined) return;
    const own = this.#own.find(room, userId);
    if (this.#own.isUnder(lost.lease)) {
      if (own?.replaceLost() === true) this.#own.push(own);
    } else if (isOurs && this.#options.backbone.leases.isEnding(nameOfLease(lost.lease))) {
      this.#own.replaceLostFor(room, lost);
    }
  }

  /** Takes over what the user stated last on another pod, which that pod's row will no longer say. */
  #takeOver(own: OwnMember | undefined): void {
    if (own === undefined || own.isGone) return;
    const known = this.#union.find(own.room, own.userId);
    if (known === undefined || known.statedAt <= own.statedAt) return;
    own.adopt(known);
    this.#own.push(own);
  }

  /** A unique time of a statement, later than `before`. */
  #moment(before: number): number {
    const { link } = this.#options.backbone;
    return Math.max(link.now(), Math.floor(before) + 1) + Math.random();
  }
}
