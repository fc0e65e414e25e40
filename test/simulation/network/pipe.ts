import type { Kernel, Strand } from '../kernel/kernel.ts';

/** One direction of a connection: what goes in comes out later, in order, once; each direction has delays of its own. */
export interface PipeOptions<Item> {
  readonly kernel: Kernel;
  /** Who takes what comes out. */
  readonly to: Strand;
  /** How long the next item takes, in milliseconds. */
  readonly delay: () => number;
  /** All that has arrived by now, at least one item. */
  readonly deliver: (items: Item[]) => void;
}

/** Sums of fractions are not exact. */
const ROUNDING_MS = 1e-6;

export class Pipe<Item> {
  readonly #options: PipeOptions<Item>;
  #under: { readonly item: Item; readonly at: number }[] = [];
  #planned = false;
  #closed = false;
  #stalled = false;
  /** Milliseconds that everything takes longer at present. */
  extraMs = 0;

  constructor(options: PipeOptions<Item>) {
    this.#options = options;
  }

  send(item: Item): void {
    if (this.#closed) return;
    const { kernel, delay } = this.#options;
    const last = this.#under.at(-1)?.at ?? 0;
    this.#under.push({ item, at: Math.max(last, kernel.time + delay() + this.extraMs) });
    this.#plan();
  }

  get stalled(): boolean {
    return this.#stalled;
  }

  /** While it is stalled nothing comes out; it is not lost. */
  set stalled(stalled: boolean) {
    this.#stalled = stalled;
    this.#plan();
  }

  /** What is under way is lost, and nothing is taken any more. */
  close(): void {
    this.#closed = true;
    this.#under = [];
  }

  #plan(): void {
    const first = this.#under[0];
    if (first === undefined || this.#planned || this.#stalled) return;
    const { kernel, to } = this.#options;
    this.#planned = true;
    kernel.after(first.at - kernel.time, to, () => this.#arrive());
  }

  #arrive(): void {
    this.#planned = false;
    if (this.#stalled) return;
    const { kernel, deliver } = this.#options;
    const due: Item[] = [];
    while (this.#under[0] !== undefined && this.#under[0].at <= kernel.time + ROUNDING_MS) {
      const next = this.#under.shift();
      if (next !== undefined) due.push(next.item);
    }
    this.#plan();
    if (due.length > 0) deliver(due);
  }
}
