import { isWrongSequence } from './answers.ts';
import { Follower, type Row } from './follower.ts';
import { type LeaseRow, leaseText, readLease } from './lease-row.ts';
import type { Clock } from '../../../core/ports/clock.ts';
import type { LeaseBook } from '../../shared/lease.ts';
import type { Load } from '../../../core/ports/directory.ts';
import type { Log } from '../../../core/ports/log.ts';
import type { Names } from './names.ts';
import type { NatsLink } from './link.ts';
import { ensureStream, ROW_AGE_MS, UNNAMED_MS } from './streams.ts';
import { ignored } from '../../shared/ignored.ts';

/** A pod that was given a dead one to bury has so long before another is given it. */
const REAP_MS = 10_000;
/** So many are given to a pod at once. */
const MOST_REAPED = 3;
/** What a pod calls its lease; nothing else can be buried. */
const NAME = /^[^.]+\.\d+$/;

export interface NatsLeasesOptions {
  readonly link: NatsLink;
  readonly names: Names;
  readonly pod: string;
  readonly leaseMs: number;
  /** A lease that nobody has renewed or buried for so long is forgotten. */
  readonly ttlMs: number;
  readonly replicas: number;
  readonly clock: Clock;
  readonly log: Log;
}

interface Seen {
  readonly row: LeaseRow;
  readonly sequence: number;
  /** When, by `Clock.elapsed`. */
  readonly at: number;
}

/**
 * The leases of all pods: a message for each, which its pod writes anew where it stands as that pod left it. Each pod
 * follows them. A lease has ended when nothing was seen of it for its length, and this pod could see all the time; who
 * writes that into it first buries the pod, which cannot renew it any more.
 */
export class NatsLeases implements LeaseBook {
  readonly #options: NatsLeasesOptions;
  readonly #follower: Follower;
  /** As long as presence, which is ended with its lease. */
  readonly #ageMs: number;
  #seen = new Map<string, Seen>();
  /** While all of them are told anew. */
  #fresh: Map<string, Seen> | undefined;
  /** The number of this pod's last renewal. */
  #sequence = 0;
  /** The last, which may be under way. */
  #renewal: Promise<unknown> = Promise.resolve();
  /** What the other pods are to know of this one; undefined: it takes no more connections. */
  load: Load | undefined;

  constructor(options: NatsLeasesOptions) {
    this.#options = options;
    const { link, names, replicas, ttlMs } = options;
    this.#ageMs = Math.max(ttlMs, ROW_AGE_MS);
    link.prepare(async (live) => {
      const subjects = [names.subject('leases', '>')];
      const name = names.stream('leases');
      await ensureStream(live, {
        name,
        subjects,
        replicas,
        maxAgeMs: this.#ageMs,
        perSubject: 1,
        duplicatesMs: UNNAMED_MS,
      });
    });
    const reader = {
      begin: () => {
        this.#fresh = new Map();
      },
      take: (kept: Row) => this.#take(kept),
      current: () => this.#current(),
    };
    this.#follower = new Follower({ ...options, what: 'leases', reader });
  }

  get up(): boolean {
    return this.#options.link.up;
  }

  whenUp(task: () => void): void {
    this.#options.link.whenUp(task);
  }

  async renew(name: string, takes: boolean): Promise<{ alive: boolean; dead: readonly string[] }> {
    const renewal = this.#renewOwn(name, takes);
    this.#renewal = renewal;
    if (!(await renewal)) return { alive: false, dead: [] };
    return { alive: true, dead: await this.#ended(name) };
  }

  async end(name: string, ms: number): Promise<void> {
    const { leaseMs } = this.#options;
    // Its number is the one that is expected.
    await this.#renewal.catch(ignored);
    await this.#write(name, { leaseMs, endsInMs: ms }, this.#sequence);
  }

  async reaped(name: string): Promise<void> {
    const seen = this.#seen.get(name);
    if (seen !== undefined) await this.#write(name, undefined, seen.sequence);
  }

  /** Whether this pod knows all leases at present. */
  get isCurrent(): boolean {
    return this.#follower.isCurrent;
  }

  /** Whether there is a lease under the name, also one that has ended while nobody has buried its pod. */
  knows(name: string): boolean {
    return this.#seen.has(name);
  }

  /** Whether the pod has stopped and only waits for its end. */
  isEnding(name: string): boolean {
    return this.#seen.get(name)?.row.endsInMs !== undefined;
  }

  /** Whether the pod is not dead. Raises Unavailable. */
  async lives(name: string): Promise<boolean> {
    // One that has just come may not have been heard of.
    if (!this.#seen.has(name) || !this.#follower.isCurrent) await this.#follower.upToDate();
    const seen = this.#seen.get(name);
    return seen !== undefined && !this.#isOver(seen);
  }

  /** The names of all pods that live and have not stopped. Raises Unavailable. */
  async pods(): Promise<Set<string>> {
    await this.#follower.upToDate();
    return new Set(Array.from(this.#living(), ([name]) => podOf(name)));
  }

  /** What the other pods have said of themselves. Raises Unavailable. */
  async loads(): Promise<Load[]> {
    if (!this.#follower.isCurrent) await this.#follower.upToDate();
    const latest = new Map<string, { at: number; load: Load | undefined }>();
    for (const [name, { row, sequence }] of this.#living()) {
      const pod = podOf(name);
      // After an absence a pod has two for a while.
      if (pod !== this.#options.pod && sequence > (latest.get(pod)?.at ?? 0))
        latest.set(pod, { at: sequence, load: row.load });
    }
    return [...latest.values()].flatMap(({ load }) => load ?? []);
  }

  stop(): void {
    this.#follower.stop();
  }

  *#living(): Iterable<[string, Seen]> {
    for (const [name, seen] of this.#seen)
      if (seen.row.endsInMs === undefined && !this.#isOver(seen)) yield [name, seen];
  }

  #isOver({ row, at }: Seen): boolean {
    if (row.givenTo !== undefined) return true;
    return this.#options.clock.elapsed() - at >= (row.endsInMs ?? row.leaseMs);
  }

  #isToReap(seen: Seen): boolean {
    if (seen.row.givenTo === undefined) return this.#isOver(seen);
    return this.#options.clock.elapsed() - seen.at >= REAP_MS;
  }

  async #renewOwn(name: string, takes: boolean): Promise<boolean> {
    const { leaseMs } = this.#options;
    const row = { leaseMs, load: this.load };
    const sequence = await this.#write(name, row, takes ? 0 : this.#sequence);
    if (sequence !== undefined) this.#sequence = sequence;
    return sequence !== undefined;
  }

  /** Takes dead pods upon itself. */
  async #ended(own: string): Promise<string[]> {
    const { leaseMs, pod } = this.#options;
    const dead: string[] = [];
    if (!this.#follower.isCurrent) return dead;
    for (const [name, seen] of this.#seen) {
      if (dead.length === MOST_REAPED) break;
      if (name === own || !this.#isToReap(seen)) continue;
      const given = await this.#write(name, { leaseMs, givenTo: pod }, seen.sequence);
      if (given !== undefined) dead.push(name);
      else this.#forgetIfAged(name, seen);
    }
    return dead;
  }

  /** What its stream does not keep any more nobody can write into, nor bury: what stands under it is an orphan's. */
  #forgetIfAged(name: string, seen: Seen): void {
    const isAged = this.#options.clock.elapsed() - seen.at >= this.#ageMs;
    if (isAged && this.#seen.get(name) === seen) this.#seen.delete(name);
  }

  /** The number of what was written; undefined: another one wrote meanwhile. Raises Unavailable. */
  async #write(name: string, row: LeaseRow | undefined, last: number): Promise<number | undefined> {
    const { link, names } = this.#options;
    const expect = { lastSubjectSequence: last };
    try {
      const subject = names.subject('leases', name);
      const { seq } = await link.call(({ js }) => js.publish(subject, leaseText(row), { expect }));
      return seq;
    } catch (error) {
      if (isWrongSequence(error)) return undefined;
      throw error;
    }
  }

  #take({ subject, data, sequence }: Row): void {
    const name = subject.split('.').slice(2).join('.');
    if (!NAME.test(name)) return;
    const row = readLease(data);
    const into = this.#fresh ?? this.#seen;
    if (row === undefined) into.delete(name);
    else into.set(name, { row, sequence, at: this.#options.clock.elapsed() });
  }

  /** Nobody has been silent while this pod did not listen. */
  #current(): void {
    const at = this.#options.clock.elapsed();
    this.#seen = new Map(Array.from(this.#fresh ?? this.#seen, ([name, seen]) => [name, { ...seen, at }]));
    this.#fresh = undefined;
  }
}

/** The pod whose lease has the name. */
function podOf(name: string): string {
  return name.slice(0, name.lastIndexOf('.'));
}
