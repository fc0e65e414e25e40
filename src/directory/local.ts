import type { Directory, DirectorySource, Occupied } from '../core/ports/directory.ts';

/** The directory of a single pod: what the pod itself holds. */
export class LocalDirectory implements Directory {
  #source: DirectorySource | undefined;

  start(source: DirectorySource): Promise<void> {
    this.#source = source;
    return Promise.resolve();
  }

  changed(): void {}

  rooms(prefix: string, after: string, limit: number): Promise<Occupied[]> {
    const rooms = Array.from(this.#source?.occupied() ?? [])
      .filter(({ room }) => room > after && room.startsWith(prefix))
      .sort((a, b) => (a.room < b.room ? -1 : 1));
    return Promise.resolve(rooms.slice(0, limit));
  }

  admit(userId: string, _connectionId: string, most: number): Promise<boolean> {
    return Promise.resolve((this.#source?.connectionsOf(userId).length ?? 0) < most);
  }

  release(): void {}

  stop(): Promise<void> {
    return Promise.resolve();
  }
}
