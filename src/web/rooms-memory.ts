import { isRoomName } from '../protocol/names.ts';
import { recall, remember } from './memory.ts';

const FIRST_ROOM = 'lobby';

/** The rooms that the user was in last, or else the lobby. */
export function recallRooms(): string[] {
  const names = (recall('rooms') ?? '').split(' ').filter(isRoomName);
  return names.length > 0 ? names : [FIRST_ROOM];
}

/** Stores the names separated by spaces, which no room name contains. */
export function rememberRooms(names: Iterable<string>): void {
  remember('rooms', [...names].join(' '));
}
