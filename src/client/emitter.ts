/** Takes the listener away again. */
export type Off = () => void;

/** Listeners by event; `Events` maps an event's name to the arguments of its listeners. */
export class Emitter<Events extends { [name in keyof Events]: readonly unknown[] }> {
  readonly #listeners = new Map<keyof Events, Set<unknown>>();

  on<Name extends keyof Events>(name: Name, listener: (...args: Events[Name]) => void): Off {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  emit<Name extends keyof Events>(name: Name, ...args: Events[Name]): void {
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        (listener as (...args: Events[Name]) => void)(...args);
      } catch (error) {
        // The application's fault must be seen, but must not keep the other listeners or the connection from working.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
