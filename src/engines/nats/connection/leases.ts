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

/** A pod that was given a dead pod must reap it within this time; then another pod is given it. */
const REAP_MS = 10_000;
/** A pod is given at most so many dead pods at once. */
const MOST_REAPED = 3;
/** The form of a lease's name. Anything else in the stream is another program's. */
const NAME = /^[^.]+\.\d+$/;

export interface NatsLeasesOptions {
  readonly link: NatsLink;
  readonly names: Names;
  readonly pod: string;
  readonly leaseMs: number;
  /** A lease that was neither renewed nor reaped for so long is forgotten. */
  readonly ttlMs: number;
  readonly replicas: number;
  readonly clock: Clock;
  readonly log: Log;
}

interface Seen {
  readonly row: LeaseRow;
  readonly sequence: number;
  /** When this pod saw it, by `Clock.elapsed`. */
  readonly at: number;
}

/**
 * The leases of all pods, one message each, which all pods follow. A pod renews its lease only if its own last renewal
 * is still the latest message. A lease has expired when this pod saw no renewal for `leaseMs`, and was current all the
 * time. The first pod that writes its own name into an expired lease reaps it; the lease cannot be renewed after that.
 */
export class NatsLeases implements LeaseBook {
  readonly #options: NatsLeasesOptions;
  readonly #follower: Follower;
  /** As long as the presence rows that are stored under the leases. */
  readonly #ageMs: number;
  #seen = new Map<string, Seen>();
  /** Set while all leases are read from the start. */
  #fresh: Map<string, Seen> | undefined;
  /** The sequence of this pod's last renewal. */
  #sequence = 0;
  /** The last renewal, which may be in flight. */
  #renewal: Promise<unknown> = Promise.resolve();
  /** The load that other pods see; undefined: this pod takes no more connections. */
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
      take: (row: Row) => this.#take(row),
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
    return { alive: true, dead: await this.#claimDead(name) };
  }

  async end(name: string, ms: number): Promise<void> {
    const { leaseMs } = this.#options;
    // The renewal's sequence is the one that the write below expects.
    await this.#renewal.catch(ignored);
    await this.#write(name, { leaseMs, endsInMs: ms }, this.#sequence);
  }

  async reaped(name: string): Promise<void> {
    const seen = this.#seen.get(name);
    if (seen !== undefined) await this.#write(name, undefined, seen.sequence);
  }

  /** Whether this pod knows all leases. */
  get isCurrent(): boolean {
    return this.#follower.isCurrent;
  }

  /** Whether there is a lease of this name, also one that has expired and was not reaped yet. */
  knows(name: string): boolean {
    return this.#seen.has(name);
  }

  /** Whether the pod has stopped, so that its lease will expire. */
  isEnding(name: string): boolean {
    return this.#seen.get(name)?.row.endsInMs !== undefined;
  }

  /** Whether the lease has not expired. Raises Unavailable. */
  async lives(name: string): Promise<boolean> {
    // A new lease may not have come by the stream yet.
    if (!this.#seen.has(name) || !this.#follower.isCurrent) await this.#follower.upToDate();
    const seen = this.#seen.get(name);
    return seen !== undefined && !this.#isExpired(seen);
  }

  /** The names of all pods that are neither dead nor stopping. Raises Unavailable. */
  async pods(): Promise<Set<string>> {
    await this.#follower.upToDate();
    return new Set(Array.from(this.#alive(), ([name]) => podOf(name)));
  }

  /** The loads of the other pods. Raises Unavailable. */
  async loads(): Promise<Load[]> {
    if (!this.#follower.isCurrent) await this.#follower.upToDate();
    const latest = new Map<string, { at: number; load: Load | undefined }>();
    for (const [name, { row, sequence }] of this.#alive()) {
      const pod = podOf(name);
      // After an outage a pod has two leases for a while. The later one counts.
      if (pod !== this.#options.pod && sequence > (latest.get(pod)?.at ?? 0))
        latest.set(pod, { at: sequence, load: row.load });
    }
    return [...latest.values()].flatMap(({ load }) => load ?? []);
  }

  stop(): void {
    this.#follower.stop();
  }

  *#alive(): Iterable<[string, Seen]> {
    for (const [name, seen] of this.#seen)
      if (seen.row.endsInMs === undefined && !this.#isExpired(seen)) yield [name, seen];
  }

  #isExpired({ row, at }: Seen): boolean {
    if (row.givenTo !== undefined) return true;
    return this.#options.clock.elapsed() - at >= (row.endsInMs ?? row.leaseMs);
  }

  #isToReap(seen: Seen): boolean {
    if (seen.row.givenTo === undefined) return this.#isExpired(seen);
    return this.#options.clock.elapsed() - seen.at >= REAP_MS;
  }

  async #renewOwn(name: string, takes: boolean): Promise<boolean> {
    const { leaseMs } = this.#options;
    const row = { leaseMs, load: this.load };
    const sequence = await this.#write(name, row, takes ? 0 : this.#sequence);
    if (sequence !== undefined) this.#sequence = sequence;
    return sequence !== undefined;
  }

  /** The dead pods that this pod shall reap, after it has written its name into their leases. */
  async #claimDead(own: string): Promise<string[]> {
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

  /** A lease whose message has expired cannot be written, so no pod can claim it. `UnknownLeases` reaps its rows. */
  #forgetIfAged(name: string, seen: Seen): void {
    const isAged = this.#options.clock.elapsed() - seen.at >= this.#ageMs;
    if (isAged && this.#seen.get(name) === seen) this.#seen.delete(name);
  }

  /** The new sequence; undefined if another pod wrote after `last`. Raises Unavailable. */
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

  /** Restarts the time of all leases: this pod could not see renewals before. */
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
