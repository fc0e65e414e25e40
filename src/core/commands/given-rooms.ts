import type { Connection, GivenBy } from '../delivery/connection.ts';
import { isOthersRoom, isRuledOut } from './may-join.ts';
import type { Pod } from './pod.ts';
import { Refused } from '../base/refused.ts';

/** A room that a connection joins without asking for it. */
export interface Gift {
  readonly room: string;
  readonly by: GivenBy;
}

const NONE: readonly Gift[] = [];

/** What a connection is given when its dialect is known; `personal` is its user's own room, `rooms` are from the hooks. */
export function giftsOf(
  { principal }: Connection,
  personal: string | undefined,
  rooms: readonly string[] | undefined,
): readonly Gift[] {
  if (personal === undefined && rooms === undefined && principal.rooms === undefined) return NONE;
  const own: Gift[] = personal === undefined ? [] : [{ room: personal, by: 'personal' }];
  return [...own, ...giftsBy('claim', principal.rooms), ...giftsBy('connect', rooms)];
}

export function giftsBy(by: GivenBy, rooms: readonly string[] = []): Gift[] {
  return rooms.map((room) => ({ room, by }));
}

/** Raises `forbidden`: the personal room of another user comes from the API alone, and a claim cannot overrule a rule. */
export function requireGivable(pod: Pod, { userId }: Connection, { room, by }: Gift): void {
  if (by === 'api') return;
  if (isOthersRoom(pod, userId, room) || (by === 'claim' && isRuledOut(pod, userId, room))) {
    throw new Refused('forbidden', 'the room belongs to another user');
  }
}
