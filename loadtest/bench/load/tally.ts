import { percentile } from '../stats.ts';

/**
 * Counts what the connections receive and checks the order: every connection must see the numbers one after the
 * other, none twice, none left out.
 */
export class Tally {
  readonly #next: Float64Array;
  readonly #sentAt = new Map<number, number>();
  #firstNumber = 0;
  #nextNumber = 0;
  #latencies = new Float64Array(0);
  deliveries = 0;
  disordered = 0;

  constructor(connections: number) {
    this.#next = new Float64Array(connections);
  }

  /** Begins a run of so many messages; what an earlier run still owes does not count any more. */
  begin(messages: number): void {
    this.#firstNumber = this.#nextNumber;
    this.#next.fill(this.#firstNumber);
    this.#latencies = new Float64Array(messages * this.#next.length);
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
    const expected = this.#next[index] ?? 0;
    if (number < expected) {
      this.disordered++;
      return;
    }
    this.#next[index] = number + 1;
    this.#latencies[this.deliveries++] = at - (this.#sentAt.get(number) ?? Number.NaN);
  }

  /** Publish to receive over all deliveries of this run, in milliseconds. */
  latencies(): { p50Ms: number; p99Ms: number } {
    const sorted = this.#latencies.subarray(0, this.deliveries).sort();
    return { p50Ms: percentile(sorted, 0.5), p99Ms: percentile(sorted, 0.99) };
  }
}
