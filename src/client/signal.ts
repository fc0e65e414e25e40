/** Takes the listener away again. */
export type Off = () => void;

/** Something that happens and those who listen to it. */
export class Signal<Args extends readonly unknown[]> {
  readonly #listeners = new Set<{ readonly call: (...args: Args) => void }>();

  /** A listener that is added twice is called twice; each `Off` takes one of them away. */
  readonly on = (listener: (...args: Args) => void): Off => {
    const entry = { call: listener };
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  };

  get heard(): boolean {
    return this.#listeners.size > 0;
  }

  emit(...args: Args): void {
    for (const { call } of this.#listeners) {
      try {
        call(...args);
      } catch (error) {
        // The application's fault must be seen, but must not keep the other listeners or the connection from working.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
