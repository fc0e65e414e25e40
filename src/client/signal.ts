/** Takes the listener away again. */
export type Off = () => void;

/** Something that happens and those who listen to it. */
export class Signal<Args extends readonly unknown[]> {
  readonly #listeners = new Set<{ readonly call: (...args: Args) => void }>();
  /** What is being told, and behind it what has happened meanwhile. */
  readonly #news: Args[] = [];

  /** A listener that is added twice is called twice; each `Off` takes one of them away. */
  readonly on = (listener: (...args: Args) => void): Off => {
    const entry = { call: listener };
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  };

  get heard(): boolean {
    return this.#listeners.size > 0;
  }

  /** All hear it in the order in which it happened, also when a listener makes the next thing happen. */
  emit(...args: Args): void {
    this.#news.push(args);
    if (this.#news.length > 1) return;
    for (let [news] = this.#news; news !== undefined; [news] = this.#news) {
      this.#tell(news);
      this.#news.shift();
    }
  }

  #tell(news: Args): void {
    // A copy: who begins to listen now hears what comes next.
    const listeners = [...this.#listeners];
    for (const entry of listeners) {
      if (!this.#listeners.has(entry)) continue;
      try {
        entry.call(...news);
      } catch (error) {
        // The application's fault must be seen, but must not keep the other listeners or the connection from working.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
