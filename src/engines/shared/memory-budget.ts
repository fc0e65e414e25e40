/** A part of a pod that can give memory back. */
export interface Evictable {
  /** When the thing that it would evict next was last used, as `MemoryBudget.use` counts; undefined: it has none. */
  readonly oldestUse: number | undefined;
  /** Evicts that thing, or a part of it, and releases its bytes. */
  evict(): void;
}

/**
 * The memory that parts of a pod may use together (MEMORY_BYTES), in estimated bytes. Each part reports what it takes
 * and releases. When it is too much, the least recently used thing of any part is evicted first.
 */
export class MemoryBudget {
  readonly most: number;
  readonly #parts: Evictable[] = [];
  #bytes = 0;
  #uses = 0;

  constructor(most: number) {
    this.most = most;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** From now on things of this part may be evicted. */
  watch(part: Evictable): void {
    this.#parts.push(part);
  }

  /** The number of a use; it grows with each, so that no clock is needed. */
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

  /**
   * Evicts until the budget is kept or nothing can be evicted. It may evict from the part that calls it: call it only
   * when the part's own state is consistent.
   */
  fit(): void {
    while (this.#bytes > this.most) {
      const part = this.#leastRecentlyUsed();
      if (part === undefined) return;
      part.evict();
    }
  }

  #leastRecentlyUsed(): Evictable | undefined {
    let found: Evictable | undefined;
    let use = Number.POSITIVE_INFINITY;
    for (const part of this.#parts) {
      const { oldestUse } = part;
      if (oldestUse === undefined || oldestUse >= use) continue;
      found = part;
      use = oldestUse;
    }
    return found;
  }
}

/** The bytes of a text in V8: one per character, or two if any character is beyond ASCII. */
export function bytesOf(text: string): number {
  const { length } = text;
  return Buffer.byteLength(text) === length ? length : 2 * length;
}
