import { Aging } from '../shared/aging.ts';
import { bytesOf, type MemoryBudget } from '../shared/memory-budget.ts';
import type { LastValue, LastValueSlot } from '../../core/ports/broker.ts';

interface Kept {
  readonly value: LastValue;
  /** In milliseconds since 1970. */
  readonly at: number;
  readonly bytes: number;
  /** As `MemoryBudget.use` counts. */
  readonly use: number;
}

/** Memory of a value besides its body. */
const VALUE_BYTES = 400;

/** The values of rooms. When memory is short, the oldest go first. */
export class LastValues {
  readonly #budget: MemoryBudget;
  /** By slot and room. */
  readonly #values = new Aging<Kept>();

  constructor(budget: MemoryBudget) {
    this.#budget = budget;
    const values = this.#values;
    const evict = (): void => {
      if (values.oldest !== undefined) this.#forget(values.oldest.name);
    };
    budget.watch({
      get oldestUse() {
        return values.oldest?.thing.use;
      },
      evict,
    });
  }

  set(room: string, { slot }: LastValueSlot, { id, body }: LastValue, now: number): void {
    const name = nameOf(room, slot);
    this.#forget(name);
    const bytes = VALUE_BYTES + name.length + bytesOf(body);
    this.#budget.take(bytes);
    this.#values.put(name, { value: { id, body }, at: now, bytes, use: this.#budget.use() });
  }

  get(room: string, { slot, ttlMs }: LastValueSlot, now: number): LastValue | undefined {
    const kept = this.#values.get(nameOf(room, slot));
    return kept === undefined || kept.at + ttlMs <= now ? undefined : kept.value;
  }

  #forget(name: string): void {
    const kept = this.#values.get(name);
    if (kept === undefined) return;
    this.#values.delete(name);
    this.#budget.release(kept.bytes);
  }
}

function nameOf(room: string, slot: LastValueSlot['slot']): string {
  return `${slot} ${room}`;
}
