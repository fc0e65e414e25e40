import { percentile } from '../stats.ts';
import type { Reach } from './commands.ts';
import { type Layout, portOf, publisherOf, roomOfMessage } from './layout.ts';

/** What was received by some of the connections. */
class Receipts {
  readonly #latencies: Float64Array;
  #count = 0;
  #firstAt = Number.NaN;
  #lastAt = Number.NaN;

  constructor(most: number) {
    this.#latencies = new Float64Array(most);
  }

  add(latency: number, at: number): void {
    if (this.#count === 0) this.#firstAt = at;
    this.#lastAt = at;
    this.#latencies[this.#count++] = latency;
  }

  /** Undefined where nothing was received. */
  reach(): Reach | undefined {
    if (this.#count === 0) return undefined;
    const sorted = this.#latencies.slice(0, this.#count).sort();
    return {
      p50Ms: percentile(sorted, 0.5),
      p99Ms: percentile(sorted, 0.99),
      firstAt: performance.timeOrigin + this.#firstAt,
      lastAt: performance.timeOrigin + this.#lastAt,
    };
  }
}

/**
 * Counts what the connections receive and checks the order: every connection must see the numbers of its room one
 * after the other, none twice, none left out.
 */
export class Tally {
  readonly #layout: Layout;
  readonly #next: Float64Array;
  readonly #sentAt = new Map<number, number>();
  #firstNumber = 0;
  #nextNumber = 0;
  #all = new Receipts(0);
  #own = new Receipts(0);
  #others = new Receipts(0);
  deliveries = 0;
  disordered = 0;
  /** What should be received in this run. */
  expected = 0;

  constructor(connections: number, layout: Layout) {
    this.#next = new Float64Array(connections);
    this.#layout = layout;
  }

  /** Begins a run of so many messages; what an earlier run still owes does not count any more. */
  begin(messages: number): void {
    const { rooms } = this.#layout;
    const first = this.#nextNumber;
    this.#firstNumber = first;
    this.#next.forEach((_, index) => {
      this.#next[index] = first + ((((index - first) % rooms) + rooms) % rooms);
    });
    this.expected = (messages * this.#next.length) / rooms;
    this.#all = new Receipts(this.expected);
    this.#own = new Receipts(this.expected);
    this.#others = new Receipts(this.expected);
    this.#sentAt.clear();
    this.deliveries = 0;
    this.disordered = 0;
  }

  /** The number of the next message; its clock starts now. */
  sent(): number {
    const number = this.#nextNumber++;
    this.#sentAt.set(number, performance.now());
    return number;
  }

  received(index: number, number: number, at: number): void {
    if (number < this.#firstNumber) return;
    const { rooms } = this.#layout;
    const expected = this.#next[index] ?? 0;
    if (number < expected || (number - expected) % rooms !== 0 || this.deliveries === this.expected) {
      this.disordered++;
      return;
    }
    this.#next[index] = number + rooms;
    this.deliveries++;
    const latency = at - (this.#sentAt.get(number) ?? Number.NaN);
    this.#all.add(latency, at);
    (this.#isOwn(index, number) ? this.#own : this.#others).add(latency, at);
  }

  /** Publish to receive over all deliveries of this run, and apart by where the publisher was. */
  reaches(): { all: Reach | undefined; own: Reach | undefined; others: Reach | undefined } {
    return { all: this.#all.reach(), own: this.#own.reach(), others: this.#others.reach() };
  }

  #isOwn(index: number, number: number): boolean {
    const publisher = publisherOf(roomOfMessage(number, this.#layout), this.#layout);
    return portOf(index, this.#layout) === portOf(publisher, this.#layout);
  }
}
