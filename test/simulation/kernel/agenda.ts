import type { Strand } from './kernel.ts';

/** Something that is to be done. */
export interface Task {
  readonly at: number;
  /** Of two at the same moment the one that was planned first is done first. */
  readonly order: number;
  readonly strand: Strand;
  readonly run: () => void;
  cancelled: boolean;
}

/** What is to be done, soonest first: a binary heap. What was cancelled is dropped when its time comes. */
export class Agenda {
  readonly #heap: Task[] = [];
  #order = 0;

  add(at: number, strand: Strand, run: () => void): Task {
    const task: Task = { at, order: (this.#order += 1), strand, run, cancelled: false };
    const heap = this.#heap;
    let index = heap.length;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as Task;
      if (isBefore(above, task)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = task;
    return task;
  }

  /** Takes out the soonest, unless it is after that moment. */
  next(until: number): Task | undefined {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || first.at > until) return undefined;
      this.#removeFirst();
      if (!first.cancelled) return first;
    }
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop() as Task;
    const { length } = heap;
    if (length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= length) break;
      if (child + 1 < length && isBefore(heap[child + 1] as Task, heap[child] as Task)) child += 1;
      const below = heap[child] as Task;
      if (isBefore(last, below)) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = last;
  }
}

function isBefore(one: Task, other: Task): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
