/**
 * Rooms by name, for as long as anybody needs them: whoever sends to a million rooms need not keep them all. Where the
 * engine cannot tell, as that of React Native could not for long, they are kept.
 */
export class KnownRooms {
  readonly #rooms = new Map<string, { deref(): object | undefined }>();
  readonly #forgotten =
    typeof FinalizationRegistry === 'function'
      ? new FinalizationRegistry<string>((name) => {
          if (this.find(name) === undefined) this.#rooms.delete(name);
        })
      : undefined;

  find(name: string): object | undefined {
    return this.#rooms.get(name)?.deref();
  }

  keep(name: string, room: object): void {
    this.#rooms.set(name, typeof WeakRef === 'function' ? new WeakRef(room) : { deref: () => room });
    this.#forgotten?.register(room, name);
  }
}
