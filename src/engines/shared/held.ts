/** A part of a pod whose things may go before their time. */
export interface Sheds {
  /** When what would go first was used last, as `Held.use` counted; undefined where nothing can go. */
  readonly oldestUse: number | undefined;
  /** Lets it go, or some of it, and releases what it held. */
  shed(): void;
}

/**
 * What parts of a pod keep in memory together, in bytes as near as one can tell (MEMORY_BYTES). Each part says what it
 * takes and gives back; where that is too much, what was used least recently goes first, whosever it is.
 */
export class Held {
  readonly most: number;
  readonly #parts: Sheds[] = [];
  #bytes = 0;
  #uses = 0;

  constructor(most: number) {
    this.most = most;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** From now on it is asked where something has to go. */
  watch(part: Sheds): void {
    this.#parts.push(part);
  }

  /** Numbers a use: later ones have larger numbers, whatever a clock shows. */
  use(): number {
    this.#uses += 1;
    return this.#uses;
  }

  take(bytes: number): void {
    this.#bytes += bytes;
  }

  release(bytes: number): void {
    this.#bytes -= bytes;
  }

  /** Lets go what is too much, as far as anything can; not to be called by who is in the middle of a change. */
  fit(): void {
    while (this.#bytes > this.most) {
      const part = this.#first();
      if (part === undefined) return;
      part.shed();
    }
  }

  #first(): Sheds | undefined {
    let first: Sheds | undefined;
    let use = Number.POSITIVE_INFINITY;
    for (const part of this.#parts) {
      const { oldestUse } = part;
      if (oldestUse === undefined || oldestUse >= use) continue;
      first = part;
      use = oldestUse;
    }
    return first;
  }
}

/** What a text takes: V8 keeps one byte for each character, or two where one of them needs it. */
export function bytesOf(text: string): number {
  const { length } = text;
  return Buffer.byteLength(text) === length ? length : 2 * length;
}
