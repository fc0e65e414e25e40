/**
 * Reads by name that many callers share. A caller that comes while a read runs shares the next one, so that it gets
 * what was stored when it asked. A crowd that joins one room thus costs few reads.
 */
export class SharedReads<Result> {
  readonly #read: (name: string) => Promise<Result>;
  readonly #running = new Map<string, Promise<Result>>();
  readonly #next = new Map<string, Promise<Result>>();

  constructor(read: (name: string) => Promise<Result>) {
    this.#read = read;
  }

  read(name: string): Promise<Result> {
    const running = this.#running.get(name);
    if (running === undefined) return this.#begin(name);
    let next = this.#next.get(name);
    if (next === undefined) {
      const begin = (): Promise<Result> => {
        this.#next.delete(name);
        return this.#begin(name);
      };
      next = running.then(begin, begin);
      this.#next.set(name, next);
    }
    return next;
  }

  #begin(name: string): Promise<Result> {
    const read = this.#read(name).finally(() => {
      if (this.#running.get(name) === read) this.#running.delete(name);
    });
    this.#running.set(name, read);
    return read;
  }
}
