import { type AuthCommand, LISTEN } from '../../protocol/command.ts';
import type { Connection } from '../delivery/connection.ts';
import type { Membership } from '../delivery/membership.ts';
import type { Pod } from './pod.ts';
import { Refused } from '../base/refused.ts';
import { leave } from './join.ts';
import { whyUnchecked } from '../base/unchecked-token.ts';

/**
 * Takes a new token of the same user for a connection that stays. Rooms that the new one does not permit are left.
 * Raises `invalid_token`, `token_expired`, `unavailable`, and `forbidden` for the token of another user.
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
  for (const membership of connection.memberships) await hold(pod, connection, membership);
}

/** Takes from a membership what the connection may no longer have. */
async function hold(pod: Pod, connection: Connection, membership: Membership): Promise<void> {
  const { name } = membership.room;
  const seesPresence = connection.may('presence', name);
  // Whoever is present without listening needed no permission to join.
  const stays = membership.listen === LISTEN.none ? seesPresence : connection.may('join', name);
  if (!stays) await leave(pod, connection, name, { kind: 'leave', absent: true });
  else if (!seesPresence) membership.listen &= LISTEN.messages;
}
