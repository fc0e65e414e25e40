import { isRoomName } from '../protocol/names.ts';

/** The names of rooms in a claim, each once; undefined if it is malformed, so that the token is refused. */
export function readRooms(claim: unknown): readonly string[] | undefined {
  if (!Array.isArray(claim)) return undefined;
  const names = claim.filter((name: unknown) => isRoomName(name));
  return names.length === claim.length ? [...new Set(names)] : undefined;
}
