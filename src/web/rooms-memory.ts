import { isRoomName } from '../protocol/names.ts';
import { recall, remember } from './memory.ts';

const FIRST_ROOM = 'lobby';

/** The rooms this person was in last, never none. */
export function recallRooms(): string[] {
  const names = (recall('rooms') ?? '').split(' ').filter(isRoomName);
  return names.length > 0 ? names : [FIRST_ROOM];
}

/** Room names have no space in them. */
export function rememberRooms(names: Iterable<string>): void {
  remember('rooms', [...names].join(' '));
}
