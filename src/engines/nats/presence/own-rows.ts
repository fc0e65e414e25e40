import { type Asked, type Known, OwnMember } from './own-member.ts';
import { leaseNameOf, nameOfLease, rowsSubject, rowSubject, rowText, type VersionedRow } from './row.ts';
import type { LeaseName, Lost } from './union.ts';
import { ANSWER_MS } from '../../shared/terms.ts';
import type { Tombstones } from './tombstones.ts';
import { Refused } from '../../../core/base/refused.ts';
import { ensureStream, ROW_AGE_MS, UNNAMED_MS } from '../connection/streams.ts';
import { isWrongSequence, natsUnavailable } from '../connection/answers.ts';
import type { NatsBackbone } from '../connection/backbone.ts';
import type { PresenceChange } from '../../../core/ports/presence-store.ts';
import { Window } from '../connection/window.ts';

/** Each row is written again three times in that, some every so often. */
const REFRESH_MS = 2_000;
const REFRESHES = ROW_AGE_MS / 3 / REFRESH_MS;
/** To look for more rows than these would keep a server busy for too long: they wait for their turn. */
const MOST_LOOKED = 20_000;
/** So many are written at once: a crowd would else wait for its answers longer than NATS may take. */
const WRITES = 256;

/** What this pod writes of its own users: a row for each of them and room, which says all that others need to know. */
export class OwnRows {
  readonly #backbone: NatsBackbone;
  readonly #tombstones: Tombstones;
  readonly #all = new Map<string, OwnMember>();
  readonly #window = new Window(WRITES);
  /** Under which everything stands, or is about to. */
  #lease: LeaseName | undefined;
  #versions = 0;
  readonly #nextVersion = (): number => (this.#versions += 1);
  #refreshing: Iterator<OwnMember> | undefined;
  /** Those that NATS did not take the last time, though it is there. */
  #untaken = new Set<OwnMember>();
  #stopped = false;

  constructor(backbone: NatsBackbone, tombstones: Tombstones) {
    this.#backbone = backbone;
    this.#tombstones = tombstones;
    const { link, names, replicas } = backbone;
    link.prepare(async (live) => {
      const subjects = [names.subject('presence', '>')];
      const name = names.stream('presence');
      await ensureStream(live, {
        name,
        subjects,
        replicas,
        maxAgeMs: ROW_AGE_MS,
        perSubject: 1,
        duplicatesMs: UNNAMED_MS,
      });
    });
  }

  get all(): Iterable<OwnMember> {
    return this.#all.values();
  }

  find(room: string, userId: string): OwnMember | undefined {
    return this.#all.get(keyOf(room, userId));
  }

  /** As `find`, or a new one; `known`: what the user said of itself, as far as this pod knows. */
  open(room: string, userId: string, known: Known | undefined): OwnMember {
    const key = keyOf(room, userId);
    let own = this.#all.get(key);
    if (own === undefined) {
      own = new OwnMember(room, userId, this.#nextVersion);
      this.#all.set(key, own);
    }
    if (known !== undefined) own.adopt(known);
    return own;
  }

  isUnder({ pod, generation }: LeaseName): boolean {
    return pod === this.#lease?.pod && generation === this.#lease.generation;
  }

  /** Resolves once this pod has heard of it, as all others do, in the one order. Raises Unavailable. */
  async write(own: OwnMember, asked: Asked): Promise<PresenceChange | undefined> {
    const { clock, link } = this.#backbone;
    if (!link.up) throw natsUnavailable('presence is told later');
    const known = own.known(asked);
    this.push(own);
    const cancel = clock.after(ANSWER_MS, () => own.fail(natsUnavailable('presence was not heard of')));
    try {
      return await known;
    } finally {
      cancel();
    }
  }

  /** Writes it as it is now, unless it is being written: then again, once that has been heard. */
  push(own: OwnMember): void {
    const lease = this.#lease;
    // Where there is another name all is about to be written under it.
    if (lease === undefined || this.#backbone.lease.name !== nameOfLease(lease)) return;
    if (own.inFlight !== undefined || this.#stopped) return;
    this.#publish(own, lease).catch((error: unknown) => {
      if (this.#lease === lease) {
        own.inFlight = undefined;
        if (!isTooLarge(error)) this.#untaken.add(own);
      }
      own.fail(error instanceof Refused ? error : natsUnavailable('presence was refused'));
      this.#failed(error);
    });
  }

  /** A row of this pod has been heard, under its present lease. True: somebody asked for it and is told. */
  heard(room: string, row: VersionedRow, change: PresenceChange | undefined, count: number): boolean {
    const own = this.find(room, row.member.userId);
    if (own === undefined) return true;
    const isKnown = own.inFlight === undefined || row.version < own.inFlight;
    const isTold = own.settle(row.version, change, count);
    if (!isKnown) own.inFlight = undefined;
    if (own.version > row.version) this.push(own);
    else if (own.isGone) this.#all.delete(keyOf(room, own.userId));
    return isTold || isKnown;
  }

  get present(): LeaseName | undefined {
    return this.#lease;
  }

  /** The name before the present one: what stands under it lapses a while after everything was written anew. */
  get former(): LeaseName | undefined {
    return this.#lease && formerOf(this.#lease);
  }

  /** Writes everything under the present lease; what stands under earlier ones counts for as long as one lasts. Raises Unavailable. */
  async rewriteAll(): Promise<void> {
    const lease = leaseNameOf(this.#backbone.lease.name);
    // At a start there is nobody yet whom another pod may have as well.
    const isFirst = this.#lease === undefined && this.#all.size === 0;
    this.#lease = lease;
    this.#untaken.clear();
    for (const [key, own] of this.#all) {
      own.startLease();
      if (own.isGone) this.#all.delete(key);
    }
    const all = [...this.#all.values()];
    // Not all at once: what is asked meanwhile is to be written in between.
    for (let at = 0; at < all.length; at += WRITES)
      await Promise.all(
        all.slice(at, at + WRITES).map((own) => this.#publish(own, lease).catch(unlessTooLarge)),
      );
    const former = formerOf(lease);
    if (former === undefined) return;
    if (isFirst) await this.#tombstones.write(former);
    else this.#endFormerLater(lease, former);
  }

  /**
   * A user stays as it was under the name before, until that lapses: other pods may be about to write that it is there
   * through them as well.
   */
  leaveBehind(room: string, row: VersionedRow): void {
    const { link, names } = this.#backbone;
    const { former } = this;
    if (former === undefined) return;
    const subject = rowSubject(names, room, former, row.member.userId);
    // Nobody has come.
    link.store(subject, rowText({ ...row, came: 0 })).catch((error: unknown) => this.#failed(error));
  }

  /** A user is back whose connection was lost on a pod that has stopped, and does not write any more. */
  giveUpFor(room: string, { lease, sequence, row }: Lost): void {
    const { link, names } = this.#backbone;
    const { connections, lost } = row;
    const less = { ...row, connections: connections - 1, lost: lost.slice(1), version: 0 };
    const subject = rowSubject(names, room, lease, row.member.userId);
    // Unless another pod was first.
    const expect = { lastSubjectSequence: sequence };
    link
      .call(({ js }) => js.publish(subject, rowText(less), { expect }))
      .catch((error: unknown) => {
        if (!isWrongSequence(error)) this.#failed(error);
      });
  }

  refreshLater(): void {
    this.#backbone.clock.after(REFRESH_MS, () => {
      if (this.#stopped) return;
      this.#refresh(Math.ceil(this.#all.size / REFRESHES));
      this.refreshLater();
    });
  }

  /** Looks every so often whether all of it is still there. */
  lookLater(): void {
    const { clock, link, lookMs } = this.#backbone;
    clock.after(lookMs, () => {
      if (this.#stopped) return;
      if (link.up) this.#look().catch((error: unknown) => this.#failed(error));
      this.lookLater();
    });
  }

  /** Writes again what somebody has deleted. */
  async #look(): Promise<void> {
    const { link, names } = this.#backbone;
    const lease = this.#lease;
    if (lease === undefined || this.#all.size > MOST_LOOKED) return;
    // What comes meanwhile may not be among what is there.
    const settled = Array.from(this.#all.values()).filter(({ inFlight }) => inFlight === undefined);
    const query = { subjects_filter: rowsSubject(names, lease) };
    const { state } = await link.call(({ jsm }) => jsm.streams.info(names.stream('presence'), query));
    for (const own of settled)
      if (state.subjects?.[rowSubject(names, own.room, lease, own.userId)] === undefined)
        this.#pushAgain(own);
  }

  /** Writes what was asked for, then does the last thing, and nothing after it. */
  async stop(last: () => Promise<void>): Promise<void> {
    await this.#window.run(async () => {
      this.#stopped = true;
      await last();
    });
  }

  seconds(): number {
    return Math.floor(this.#backbone.link.now() / 1_000);
  }

  /** Pods have NATS back one after the other. */
  #endFormerLater(lease: LeaseName, former: LeaseName): void {
    const { clock, leaseMs } = this.#backbone;
    clock.after(leaseMs, () => {
      // Where there is a later name all of that begins again; and whoever takes the former one for dead ends it too.
      if (this.#lease !== lease || this.#stopped) return;
      this.#tombstones.write(former).catch((error: unknown) => this.#failed(error));
    });
  }

  #refresh(count: number): void {
    const untaken = this.#untaken;
    this.#untaken = new Set();
    for (const own of untaken) this.#pushAgain(own);
    for (let n = 0; n < count; n += 1) {
      // As they are now: where users come faster than it walks, there would be no end, and nobody would have a turn again.
      this.#refreshing ??= Array.from(this.#all.values()).values();
      const { value } = this.#refreshing.next() as IteratorResult<OwnMember, undefined>;
      if (value === undefined) this.#refreshing = undefined;
      else this.#pushAgain(value);
    }
  }

  /** Unless it is gone, or another one is in its place. */
  #pushAgain(own: OwnMember): void {
    if (this.find(own.room, own.userId) === own) this.push(own);
  }

  async #publish(own: OwnMember, lease: LeaseName): Promise<void> {
    const { link, names } = this.#backbone;
    own.inFlight = own.version;
    await this.#window.run(async () => {
      if (this.#lease !== lease) throw natsUnavailable('this pod registers anew');
      // It was there when everything began to be written, and is gone; another one may be in its place.
      if (this.find(own.room, own.userId) !== own) return;
      const { row } = own;
      own.inFlight = row.version;
      const subject = rowSubject(names, own.room, lease, own.userId);
      await link.store(subject, rowText(row));
    });
  }

  #failed(error: unknown): void {
    if (error instanceof Refused) return;
    this.#backbone.log.error({ err: error }, 'presence could not be written');
  }
}

function formerOf({ pod, generation }: LeaseName): LeaseName | undefined {
  return generation > 0 ? { pod, generation: generation - 1 } : undefined;
}

function isTooLarge(error: unknown): boolean {
  return error instanceof Refused && error.rejection.code === 'too_large';
}

/** The servers take less than before: who said so much is not seen by the others, and is no reason to leave them out. */
function unlessTooLarge(error: unknown): void {
  if (!isTooLarge(error)) throw error;
}

function keyOf(room: string, userId: string): string {
  return `${room}\n${userId}`;
}
