import { type AuthCommand, LISTEN } from '../../protocol/command.ts';
import type { Connection, GivenBy } from '../delivery/connection.ts';
import type { Membership } from '../delivery/membership.ts';
import type { Pod } from './pod.ts';
import { isUnavailable, Refused } from '../base/refused.ts';
import { type Gift, giftsBy } from './given-rooms.ts';
import { isGranted, mayJoin } from './may-join.ts';
import { joinByServer } from './join-by-server.ts';
import { whyDenied } from './deny.ts';
import { leave } from './leave.ts';
import { arrive, type Arrived } from './arrive.ts';
import { evidenceOf } from './hook-views.ts';
import type { Principal } from '../ports/principal.ts';
import { readCode } from '../../protocol/error-codes.ts';
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
  const denied = whyDenied(pod.denylist, result);
  if (denied !== undefined) throw new Refused(denied.code, denied.error);
  if (result.userId !== connection.userId) throw new Refused('forbidden', 'the token is of another user');
  const { principal, rooms } = await askAgain(pod, connection, result);
  connection.renewPrincipal(principal);
  connection.answer({ kind: 'authenticated', ref, expiresAt: principal.expiresAt, at: pod.clock.now() });
  await takeEndedGrants(pod, connection);
  const gifts = [...giftsBy('claim', principal.rooms), ...giftsBy('connect', rooms)];
  const former = [...takeFormer(connection, 'claim', gifts), ...takeFormer(connection, 'connect', gifts)];
  for (const membership of connection.memberships) {
    await restrict(pod, connection, membership, former.includes(membership.room.name));
  }
  for (const { room, by } of gifts) await joinByServer(pod, connection, room, by);
}

/** Takes back the rooms that a giver gives no longer, and returns them. */
function takeFormer(connection: Connection, giver: GivenBy, gifts: readonly Gift[]): string[] {
  const former = connection
    .givenBy(giver)
    .filter((given) => !gifts.some(({ room, by }) => by === giver && room === given));
  for (const room of former) connection.takeBack(room, giver);
  return former;
}

/** The answer of the backend to the new token replaces the former one. */
async function askAgain(pod: Pod, connection: Connection, principal: Principal): Promise<Arrived> {
  if (pod.hooks?.identifies !== true) return { principal };
  const { connectionId: id, userId, room, source } = connection;
  const arrival = { occasion: 'auth', id, userId, room, evidence: evidenceOf(source, principal) } as const;
  const arrived = await arrive(pod.hooks, pod.clock.now(), arrival, principal);
  if (!('status' in arrived)) return arrived;
  const { code, error, retryAfterSeconds } = arrived;
  const retryAfterMs = retryAfterSeconds === undefined ? undefined : retryAfterSeconds * 1_000;
  throw new Refused(
    readCode(code === 'backend_unavailable' ? 'unavailable' : code) ?? 'forbidden',
    error,
    retryAfterMs,
  );
}

/** Removes from a membership what the connection may no longer have; all of it if its giver `wasTaken` the room back. */
async function restrict(
  pod: Pod,
  connection: Connection,
  membership: Membership,
  wasTaken: boolean,
): Promise<void> {
  const { name } = membership.room;
  const seesPresence = connection.may('presence', name);
  // A member that is present without listening did not need the permission to join.
  const stays =
    connection.isGiven(name) ||
    (!wasTaken && (membership.listen === LISTEN.none ? seesPresence : await keeps(pod, connection, name)));
  if (!stays) await leave(pod, connection, name, { kind: 'leave', absent: true });
  else if (!seesPresence) membership.listen &= LISTEN.messages;
}

/** Whether a listening member may stay. While the engine is away, only what this pod knows counts. */
async function keeps(pod: Pod, connection: Connection, room: string): Promise<boolean> {
  if (mayJoin(pod, connection.principal, room)) return true;
  return isGranted(pod, connection, room).catch(unless(false));
}

/** What the API gave lasts for a day. While the engine is away, nothing ends. */
async function takeEndedGrants(pod: Pod, connection: Connection): Promise<void> {
  for (const room of connection.givenBy('api')) {
    if (!(await isGranted(pod, connection, room).catch(unless(true)))) connection.takeBack(room, 'api');
  }
}

/** For an engine that is away. */
function unless(answer: boolean): (error: unknown) => boolean {
  return (error) => {
    if (isUnavailable(error)) return answer;
    throw error;
  };
}
