import type { DirectorySource, Occupied } from '../../core/ports/directory.ts';

/** The rooms of this pod, with the arguments of `Directory.rooms`. */
export function roomsOf(
  source: DirectorySource | undefined,
  prefix: string,
  after: string,
  limit: number,
): Occupied[] {
  const rooms = Array.from(source?.occupied() ?? [])
    .filter(({ room }) => room > after && room.startsWith(prefix))
    .sort((a, b) => (a.room < b.room ? -1 : 1));
  return rooms.slice(0, limit);
}
