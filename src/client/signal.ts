/** Removes the listener. */
export type Off = () => void;

/** Calls its listeners with what is emitted. */
export class Signal<Args extends readonly unknown[]> {
  readonly #listeners = new Set<{ readonly call: (...args: Args) => void }>();
  /** The emission under way, and behind it those that its listeners caused. */
  readonly #queue: Args[] = [];

  /** A listener that is added twice is called twice; each `Off` removes one of the two. */
  readonly on = (listener: (...args: Args) => void): Off => {
    const entry = { call: listener };
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  };

  get hasListeners(): boolean {
    return this.#listeners.size > 0;
  }

  /** All listeners see emissions in the same order, even when a listener causes the next emission. */
  emit(...args: Args): void {
    this.#queue.push(args);
    if (this.#queue.length > 1) return;
    for (let [next] = this.#queue; next !== undefined; [next] = this.#queue) {
      this.#call(next);
      this.#queue.shift();
    }
  }

  #call(args: Args): void {
    // A copy: a listener that is added now gets only later emissions.
    const listeners = [...this.#listeners];
    for (const entry of listeners) {
      if (!this.#listeners.has(entry)) continue;
      try {
        entry.call(...args);
      } catch (error) {
        // The application must see its error, but the error must not stop the other listeners or the connection.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
