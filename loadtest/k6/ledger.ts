/** What became of the messages that one member should have received. */
export interface Account {
  readonly received: number;
  readonly lost: number;
  readonly repeated: number;
  readonly disordered: number;
}

/** The numbers that one member has received of one publisher, who counts from 1. */
interface Sequence {
  /** Above every number received. */
  next: number;
  /** Those below that have not come. */
  readonly missing: Set<number>;
}

/** Which messages one member of a room has received, and whether each came once and in the order of its publisher. */
export class Ledger {
  readonly #sequences = new Map<number, Sequence>();
  #received = 0;
  #repeated = 0;
  #disordered = 0;

  /** Everybody who publishes in the room; messages of others are not counted. */
  constructor(publishers: Iterable<number>) {
    for (const publisher of publishers) this.#sequences.set(publisher, { next: 1, missing: new Set() });
  }

  /** Whether the message is one that had not come before. */
  receive(publisher: number, number: number): boolean {
    const sequence = this.#sequences.get(publisher);
    if (sequence === undefined) return false;
    if (number >= sequence.next) {
      for (let missed = sequence.next; missed < number; missed += 1) sequence.missing.add(missed);
      sequence.next = number + 1;
    } else if (sequence.missing.delete(number)) this.#disordered += 1;
    else {
      this.#repeated += 1;
      return false;
    }
    this.#received += 1;
    return true;
  }

  /** As it is when each has published so many. */
  account(published: number): Account {
    return {
      received: this.#received,
      lost: this.#sequences.size * published - this.#received,
      repeated: this.#repeated,
      disordered: this.#disordered,
    };
  }
}
