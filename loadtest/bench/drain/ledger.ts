import { roomOf } from '../load/layout.ts';
import type { Account } from './commands.ts';

/** Which numbers of its room each member has received: message n is one of room n modulo the rooms. */
export class Ledger {
  readonly #rooms: number;
  /** The lowest number that a member has received neither, nor any after it. */
  readonly #next: Float64Array;
  /** The numbers below it that it has not received, of those few that lack some. */
  readonly #missing = new Map<number, Set<number>>();
  #received = 0;
  #repeated = 0;
  #disordered = 0;

  constructor(connections: number, rooms: number) {
    this.#rooms = rooms;
    this.#next = Float64Array.from({ length: connections }, (_, index) => this.#roomOf(index));
  }

  receive(index: number, number: number): void {
    const next = this.#next[index] ?? 0;
    if (number >= next && (number - next) % this.#rooms === 0) {
      for (let missed = next; missed < number; missed += this.#rooms) this.#miss(index, missed);
      this.#next[index] = number + this.#rooms;
      this.#received += 1;
    } else if (this.#missing.get(index)?.delete(number) === true) {
      this.#received += 1;
      this.#disordered += 1;
    } else this.#repeated += 1;
  }

  /** As it is after so many messages have been published. */
  account(published: number): Account {
    let expected = 0;
    for (const index of this.#next.keys()) {
      expected += Math.max(0, Math.ceil((published - this.#roomOf(index)) / this.#rooms));
    }
    const lost = expected - this.#received;
    return { expected, lost, repeated: this.#repeated, disordered: this.#disordered };
  }

  #roomOf(index: number): number {
    return roomOf(index, { rooms: this.#rooms, ports: 1 });
  }

  #miss(index: number, number: number): void {
    const missing = this.#missing.get(index);
    if (missing === undefined) this.#missing.set(index, new Set([number]));
    else missing.add(number);
  }
}
