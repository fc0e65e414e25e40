export interface UnservedSlotsOptions {
  /** Whether a server takes a script with these keys of the slot again; never raises. */
  readonly isServed: (slot: number, keys: readonly string[]) => Promise<boolean>;
  /** These take commands again. */
  readonly recovered: (slots: ReadonlySet<number>) => void;
}

/** Slots that are tried in one round. */
const MOST = 500;

/** Slots that take no commands: they are moving from one server to another, or no server has them. */
export class UnservedSlots {
  readonly #options: UnservedSlotsOptions;
  /** With the keys of the script that was last refused. */
  readonly #slots = new Map<number, readonly string[]>();

  constructor(options: UnservedSlotsOptions) {
    this.#options = options;
  }

  get any(): boolean {
    return this.#slots.size > 0;
  }

  has(slot: number): boolean {
    return this.#slots.has(slot);
  }

  add(slot: number, keys: readonly string[]): void {
    if (keys.length > 0 || !this.#slots.has(slot)) this.#slots.set(slot, keys);
  }

  /** Tries whether they are served again. */
  async look(): Promise<void> {
    if (!this.any) return;
    const tried = [...this.#slots].slice(0, MOST);
    const served = await Promise.all(tried.map(([slot, keys]) => this.#options.isServed(slot, keys)));
    const recovered = new Set(tried.filter((_, index) => served[index]).map(([slot]) => slot));
    for (const [slot, keys] of tried) {
      this.#slots.delete(slot);
      // At the end, so that those that were not tried come first next time.
      if (!recovered.has(slot)) this.#slots.set(slot, keys);
    }
    if (recovered.size > 0) this.#options.recovered(recovered);
  }
}
