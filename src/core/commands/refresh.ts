import { type AuthCommand, LISTEN } from '../../protocol/command.ts';
import type { Connection } from '../delivery/connection.ts';
import type { Membership } from '../delivery/membership.ts';
import type { Pod } from './pod.ts';
import { isUnavailable, Refused } from '../base/refused.ts';
import { isGranted, mayConnectionJoin } from './may-join.ts';
import { leave } from './join.ts';
import { whyUnchecked } from '../base/unchecked-token.ts';

/**
 * Accepts a new token of the same user for an open connection. The connection leaves rooms that the new token does not
 * permit. Raises `invalid_token`, `token_expired`, `unavailable`, and `forbidden` for the token of another user.
 */
export async function refresh(pod: Pod, connection: Connection, { token, ref }: AuthCommand): Promise<void> {
  if (pod.authenticator === undefined) throw new Refused('forbidden', 'authentication is off');
  const result = await pod.authenticator.authenticate(token);
  if ('fault' in result) {
    const { fault, retryAfterMs } = result;
    throw new Refused(fault, fault === 'unavailable' ? whyUnchecked(result) : undefined, retryAfterMs);
  }
  if (result.userId !== connection.userId) throw new Refused('forbidden', 'the token is of another user');
  connection.renewPrincipal(result);
  connection.answer({ kind: 'authenticated', ref, expiresAt: result.expiresAt, at: pod.clock.now() });
  for (const membership of connection.memberships) await restrict(pod, connection, membership);
}

/** Removes from a membership what the connection may no longer have. */
async function restrict(pod: Pod, connection: Connection, membership: Membership): Promise<void> {
  const { name } = membership.room;
  const seesPresence = connection.may('presence', name);
  // A member that is present without listening did not need the permission to join.
  const stays = membership.listen === LISTEN.none ? seesPresence : await keeps(pod, connection, name);
  if (!stays) await leave(pod, connection, name, { kind: 'leave', absent: true });
  else if (!seesPresence) membership.listen &= LISTEN.messages;
}

/** Whether a listening member may stay. While the engine is away, only what this pod knows counts. */
async function keeps(pod: Pod, connection: Connection, room: string): Promise<boolean> {
  if (mayConnectionJoin(pod, connection, room)) return true;
  try {
    return await isGranted(pod, connection, room);
  } catch (error) {
    if (isUnavailable(error)) return false;
    throw error;
  }
}
