import { askJoin } from './ask-join.ts';
import type { HttpUser } from './http-user.ts';
import { isOwn, mayJoin } from './may-join.ts';
import type { Pod } from './pod.ts';
import { permit } from '../base/refused.ts';

/**
 * Raises what forbids a user to read a room over HTTP: reading needs all that a join needs, and the permission for the
 * `action` besides. A room that the user's token, PERSONAL_ROOM or the API gave needs neither.
 */
export async function requireReadable(
  pod: Pod,
  user: HttpUser,
  action: 'history' | 'presence',
  room: string,
): Promise<void> {
  const { principal } = user;
  if (isOwn(pod, principal, room)) return permit(mayJoin(pod, principal, room));
  if (mayJoin(pod, principal, room) && user.may(action, room)) {
    await askJoin(pod, user.view(pod.hooks?.passedHeaders !== undefined), room);
    return;
  }
  permit((await pod.grants.leftMs(user.userId, room)) > 0);
}
