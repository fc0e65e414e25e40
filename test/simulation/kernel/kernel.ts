import { Agenda, type Task } from './agenda.ts';
import { Random } from '../../hostile/random.ts';
import { seedOf } from './seed.ts';

/** Where virtual time begins: 2026-01-01T00:00:00Z. */
const BEGINNING = Date.UTC(2026, 0, 1);

/** How long what is left for the end of a turn may wait, in ms: meanwhile more may arrive, as it does in one poll. */
const TURN_MS = 0.4;

/**
 * Whose work it is: a pod, a server, a client or the world itself. What somebody does makes tasks that are theirs as
 * well, so that all of them wait while they are frozen, and none is done once they are dead.
 */
export class Strand {
  readonly name: string;
  /** Milliseconds that its wall clock is ahead of the world's. */
  clockOffset = 0;
  /** By how much its wall clock runs too fast: 0.001 is a millisecond a second. */
  clockDrift = 0;
  frozen = false;
  dead = false;
  /** What has come due while it was frozen. */
  readonly held: Task[] = [];
  /** What it left for the end of its turn. */
  immediates: (() => void)[] = [];

  constructor(name: string) {
    this.name = name;
  }
}

/** Runs until nothing that JavaScript does by itself (microtasks, `process.nextTick`) is left. */
const drain = (process as unknown as { readonly _tickCallback: () => void })._tickCallback;

/** Virtual time and everything that happens in it: one thing after the other, the order a matter of the seed. */
export class Kernel {
  readonly #agenda = new Agenda();
  readonly #random: Random;
  readonly world = new Strand('world');
  /** Whose work is being done. */
  current = this.world;
  /** Milliseconds since the beginning; only events move it. */
  time = 0;
  /** How many things have happened. */
  events = 0;
  /** Of all that has happened, in its order. */
  hash = 0x811c9dc5;

  constructor(seed: string) {
    this.#random = new Random(seedOf(`${seed}/kernel`));
  }

  /** Does something in the name of somebody after so many milliseconds. */
  after(ms: number, strand: Strand, run: () => void): Task {
    return this.#agenda.add(this.time + Math.max(0, ms), strand, run);
  }

  /** The wall clock of somebody, in milliseconds since 1970. */
  now({ clockOffset, clockDrift }: Strand = this.current): number {
    return BEGINNING + this.time * (1 + clockDrift) + clockOffset;
  }

  /** Leaves something for the end of the turn of whoever does it. */
  immediate(run: () => void): void {
    const strand = this.current;
    strand.immediates.push(run);
    if (strand.immediates.length > 1) return;
    const wait = this.#random.chance(0.5) ? 0 : this.#random.next() * TURN_MS;
    this.after(wait, strand, () => this.#endTurn(strand));
  }

  /** What is left meanwhile is for the next turn. */
  #endTurn(strand: Strand): void {
    const { immediates } = strand;
    strand.immediates = [];
    for (const run of immediates) {
      run();
      drain();
    }
  }

  /** Lets virtual time go on to a moment; to be called from a task of the real event loop, never from a microtask. */
  run(until: number): void {
    for (;;) {
      const task = this.#agenda.next(until);
      if (task === undefined) break;
      this.time = task.at;
      this.#do(task);
    }
    this.time = until;
  }

  #do(task: Task): void {
    const { strand } = task;
    if (strand.dead) return;
    if (strand.frozen) {
      strand.held.push(task);
      return;
    }
    this.events += 1;
    this.current = strand;
    task.run();
    drain();
    this.current = this.world;
  }

  freeze(strand: Strand): void {
    strand.frozen = true;
  }

  /** It does now all that it should have done meanwhile. */
  thaw(strand: Strand): void {
    strand.frozen = false;
    for (const { run, cancelled } of strand.held.splice(0)) if (!cancelled) this.after(0, strand, run);
  }

  /** Nothing of it is ever done any more. */
  kill(strand: Strand): void {
    strand.dead = true;
    strand.held.length = 0;
    strand.immediates = [];
  }

  /** Notes what has happened in the hash by which two plays of a seed are compared. */
  trace(text: string): void {
    let { hash } = this;
    hash = Math.imul(hash ^ Math.round(this.time * 1_000), 0x01000193);
    for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
    this.hash = hash >>> 0;
  }

  /** The same for bytes, of which some are looked at. */
  traceBytes(bytes: Uint8Array): void {
    let hash = Math.imul(this.hash ^ bytes.length ^ Math.round(this.time * 1_000), 0x01000193);
    const step = bytes.length > 64 ? 7 : 1;
    for (let at = 0; at < bytes.length; at += step) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
    this.hash = hash >>> 0;
  }
}
