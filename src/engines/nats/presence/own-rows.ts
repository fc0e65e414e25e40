import { type Asked, type Known, OwnMember } from './own-member.ts';
import { leaseNameOf, nameOfLease, rowsSubject, rowSubject, rowText, type VersionedRow } from './row.ts';
import type { LeaseName, Lost } from './union.ts';
import { ANSWER_MS } from '../../shared/terms.ts';
import type { Tombstones } from './tombstones.ts';
import { every } from '../../../core/base/every.ts';
import { Refused } from '../../../core/base/refused.ts';
import { ensureStream, ROW_AGE_MS, UNNAMED_MS } from '../connection/streams.ts';
import { isWrongSequence, natsUnavailable } from '../connection/answers.ts';
import type { NatsBackbone } from '../connection/backbone.ts';
import type { PresenceChange } from '../../../core/ports/presence-store.ts';
import { Window } from '../connection/window.ts';

/** Each row is written again three times within ROW_AGE_MS, some rows at each step. */
const REFRESH_MS = 2_000;
const REFRESHES = ROW_AGE_MS / 3 / REFRESH_MS;
/** Checking more rows would keep a server busy for too long. A pod with more relies on the refresh. */
const MOST_LOOKED = 20_000;
/** So many rows are written at once. More would wait longer for their answers than ANSWER_MS. */
const WRITES = 256;

/** The rows that this pod writes: one for each of its users in each room. */
export class OwnRows {
  readonly #backbone: NatsBackbone;
  readonly #tombstones: Tombstones;
  readonly #all = new Map<string, OwnMember>();
  readonly #window = new Window(WRITES);
  /** The lease under which all rows are written. */
  #lease: LeaseName | undefined;
  #versions = 0;
  readonly #nextVersion = (): number => (this.#versions += 1);
  #refreshing: Iterator<OwnMember> | undefined;
  /** Rows that NATS refused at the last attempt. */
  #untaken = new Set<OwnMember>();
  #stopped = false;
  #timers: readonly (() => void)[] = [];

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

  /** As `find`, or a new member. `known`: what the user stated on other pods, if anything. */
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

  /** Resolves once the row has come back by the stream, in the order that all pods see. Raises Unavailable. */
  async write(own: OwnMember, asked: Asked): Promise<PresenceChange | undefined> {
    const { clock, link } = this.#backbone;
    if (!link.up) throw natsUnavailable('presence is written later');
    const known = own.known(asked);
    this.push(own);
    const cancel = clock.after(ANSWER_MS, () =>
      own.fail(natsUnavailable('the presence row did not come back in time')),
    );
    try {
      return await known;
    } finally {
      cancel();
    }
  }

  /** Writes the row as it is now. If it is being written, it is written again after it has come back. */
  push(own: OwnMember): void {
    const lease = this.#lease;
    // If the lease has another name, all rows are about to be written under that.
    if (lease === undefined || this.#backbone.lease.name !== nameOfLease(lease)) return;
    if (own.inFlight !== undefined || this.#stopped) return;
    this.#publish(own, lease).catch((error: unknown) => {
      if (this.#lease === lease) {
        own.inFlight = undefined;
        if (!isTooLarge(error)) this.#untaken.add(own);
      }
      own.fail(error instanceof Refused ? error : natsUnavailable('the presence row was refused'));
      this.#failed(error);
    });
  }

  /**
   * A row under this pod's lease has come by the stream. True: a call of the store gets the change, or the row is old.
   */
  received(room: string, row: VersionedRow, change: PresenceChange | undefined, count: number): boolean {
    const own = this.find(room, row.member.userId);
    if (own === undefined) return true;
    const isOld = own.inFlight === undefined || row.version < own.inFlight;
    const isTold = own.settle(row.version, change, count);
    if (!isOld) own.inFlight = undefined;
    if (own.version > row.version) this.push(own);
    else if (own.isGone) this.#all.delete(keyOf(room, own.userId));
    return isTold || isOld;
  }

  get present(): LeaseName | undefined {
    return this.#lease;
  }

  /** The lease before. Its rows count until a while after all rows were written again. */
  get former(): LeaseName | undefined {
    return this.#lease && formerOf(this.#lease);
  }

  /**
   * Writes all rows under the present lease. Rows under the former one count for `leaseMs` more. Raises Unavailable.
   */
  async rewriteAll(): Promise<void> {
    const lease = leaseNameOf(this.#backbone.lease.name);
    // At a start there are no users yet who could be on another pod too.
    const isFirst = this.#lease === undefined && this.#all.size === 0;
    this.#lease = lease;
    this.#untaken.clear();
    for (const [key, own] of this.#all) {
      own.startLease();
      if (own.isGone) this.#all.delete(key);
    }
    const all = [...this.#all.values()];
    // In chunks, so that rows that clients wait for are written in between.
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
   * Writes the row of a user who leaves under the former lease once more, so that the user stays present until that
   * lease ends: other pods may be about to write that the user is there through them too.
   */
  keepUnderFormer(room: string, row: VersionedRow): void {
    const { link, names } = this.#backbone;
    const { former } = this;
    if (former === undefined) return;
    const subject = rowSubject(names, room, former, row.member.userId);
    link.store(subject, rowText({ ...row, came: 0 })).catch((error: unknown) => this.#failed(error));
  }

  /** A user has returned whose connection was lost on a pod that has stopped: writes that pod's row in its place. */
  replaceLostFor(room: string, { lease, sequence, row }: Lost): void {
    const { link, names } = this.#backbone;
    const { connections, lost } = row;
    const less = { ...row, connections: connections - 1, lost: lost.slice(1), version: 0 };
    const subject = rowSubject(names, room, lease, row.member.userId);
    // The sequence lets only the first of several pods write it.
    const expect = { lastSubjectSequence: sequence };
    link
      .call(({ js }) => js.publish(subject, rowText(less), { expect }))
      .catch((error: unknown) => {
        if (!isWrongSequence(error)) this.#failed(error);
      });
  }

  /** From now on refreshes the rows, and checks that they still exist. */
  start(): void {
    const { clock, link, lookMs } = this.#backbone;
    this.#timers = [
      every(clock, REFRESH_MS, () => this.#refresh(Math.ceil(this.#all.size / REFRESHES))),
      every(clock, lookMs, () => {
        if (link.up) this.#restore().catch((error: unknown) => this.#failed(error));
      }),
    ];
  }

  /** Writes rows again that were deleted. */
  async #restore(): Promise<void> {
    const { link, names } = this.#backbone;
    const lease = this.#lease;
    if (lease === undefined || this.#all.size > MOST_LOOKED) return;
    // A row in flight may not be in the answer.
    const settled = Array.from(this.#all.values()).filter(({ inFlight }) => inFlight === undefined);
    const query = { subjects_filter: rowsSubject(names, lease) };
    const { state } = await link.call(({ jsm }) => jsm.streams.info(names.stream('presence'), query));
    for (const own of settled)
      if (state.subjects?.[rowSubject(names, own.room, lease, own.userId)] === undefined)
        this.#pushAgain(own);
  }

  /** Writes the rows that calls wait for, then runs `last`; no row is written after it. */
  async stop(last: () => Promise<void>): Promise<void> {
    await this.#window.run(async () => {
      this.#stopped = true;
      for (const stop of this.#timers) stop();
      await last();
    });
  }

  seconds(): number {
    return Math.floor(this.#backbone.link.now() / 1_000);
  }

  /** Other pods reconnect a little later; the rows that they share with this one must count until then. */
  #endFormerLater(lease: LeaseName, former: LeaseName): void {
    const { clock, leaseMs } = this.#backbone;
    clock.after(leaseMs, () => {
      // A later lease writes its own tombstone. A pod that takes the former lease for dead writes this one too.
      if (this.#lease !== lease || this.#stopped) return;
      this.#tombstones.write(former).catch((error: unknown) => this.#failed(error));
    });
  }

  #refresh(count: number): void {
    const untaken = this.#untaken;
    this.#untaken = new Set();
    for (const own of untaken) this.#pushAgain(own);
    for (let n = 0; n < count; n += 1) {
      // A copy: over the live map a round would never end if users join faster than it walks.
      this.#refreshing ??= Array.from(this.#all.values()).values();
      const { value } = this.#refreshing.next() as IteratorResult<OwnMember, undefined>;
      if (value === undefined) this.#refreshing = undefined;
      else this.#pushAgain(value);
    }
  }

  /** Does nothing if the member is gone, or was replaced. */
  #pushAgain(own: OwnMember): void {
    if (this.find(own.room, own.userId) === own) this.push(own);
  }

  async #publish(own: OwnMember, lease: LeaseName): Promise<void> {
    const { link, names } = this.#backbone;
    own.inFlight = own.version;
    await this.#window.run(async () => {
      if (this.#lease !== lease) throw natsUnavailable('this pod takes another lease');
      // The member may have gone, or been replaced, while this write waited.
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

/** A server's limit may have been lowered. A row that is too large must not stop the others from being written. */
function unlessTooLarge(error: unknown): void {
  if (!isTooLarge(error)) throw error;
}

function keyOf(room: string, userId: string): string {
  return `${room}\n${userId}`;
}
