import type { Kernel } from './kernel.ts';
import type { Random } from '../../hostile/random.ts';
import type { Task } from './agenda.ts';

/** What `setTimeout` gives. */
class Timer {
  readonly #kernel: Kernel;
  readonly #ms: number;
  readonly #strand: Kernel['current'];
  readonly #run: () => void;
  readonly #again: boolean;
  #task: Task | undefined;

  constructor(kernel: Kernel, ms: number, run: () => void, again: boolean) {
    this.#kernel = kernel;
    this.#ms = Number.isFinite(ms) ? Math.max(1, Math.trunc(ms)) : 1;
    this.#strand = kernel.current;
    this.#run = run;
    this.#again = again;
    this.refresh();
  }

  refresh(): this {
    this.cancel();
    this.#task = this.#kernel.after(this.#ms, this.#strand, () => {
      if (this.#again) this.refresh();
      this.#run();
    });
    return this;
  }

  cancel(): void {
    if (this.#task !== undefined) this.#task.cancelled = true;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }
}

/**
 * Puts virtual time and seeded numbers in the place of this process's own, for the product and for ioredis alike; the
 * answer puts all back. One kernel at a time.
 */
export function installGlobals(kernel: Kernel, random: Random): () => void {
  const clear = (timer: unknown): void => {
    if (timer instanceof Timer) timer.cancel();
  };
  const substitutes = {
    setTimeout: (run: (...given: unknown[]) => void, ms = 1, ...given: unknown[]) =>
      new Timer(kernel, ms, () => run(...given), false),
    setInterval: (run: (...given: unknown[]) => void, ms = 1, ...given: unknown[]) =>
      new Timer(kernel, ms, () => run(...given), true),
    setImmediate: (run: (...given: unknown[]) => void, ...given: unknown[]) =>
      kernel.immediate(() => run(...given)),
    clearTimeout: clear,
    clearInterval: clear,
  };
  const undo = [
    replace(globalThis, substitutes),
    replace(Date, { now: () => Math.floor(kernel.now()) }),
    replace(performance, { now: () => kernel.time }),
    replace(Math, { random: () => random.next() }),
  ];
  return () => {
    for (const one of undo) one();
  };
}

function replace(owner: object, substitutes: object): () => void {
  const originals = Object.keys(substitutes).map((name) => [
    name,
    Object.getOwnPropertyDescriptor(owner, name),
  ]) as [string, PropertyDescriptor | undefined][];
  for (const [name, value] of Object.entries(substitutes)) {
    Object.defineProperty(owner, name, { value, configurable: true, writable: true });
  }
  return () => {
    for (const [name, descriptor] of originals) {
      if (descriptor === undefined) Reflect.deleteProperty(owner, name);
      else Object.defineProperty(owner, name, descriptor);
    }
  };
}
