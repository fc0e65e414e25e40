/**
 * Rooms by name, held weakly: a client that sends to a million rooms need not keep a million objects. An engine
 * without `WeakRef`, as older React Native, keeps them all.
 */
export class KnownRooms {
  readonly #rooms = new Map<string, { deref(): object | undefined }>();
  readonly #collected =
    typeof FinalizationRegistry === 'function'
      ? new FinalizationRegistry<string>((name) => {
          if (this.find(name) === undefined) this.#rooms.delete(name);
        })
      : undefined;

  find(name: string): object | undefined {
    return this.#rooms.get(name)?.deref();
  }

  add(name: string, room: object): void {
    this.#rooms.set(name, typeof WeakRef === 'function' ? new WeakRef(room) : { deref: () => room });
    this.#collected?.register(room, name);
  }
}
