import { CLOSE } from '../../protocol/close-codes.ts';
import type { Connection } from '../delivery/connection.ts';
import type { Denial, Denylist } from '../ports/denylist.ts';
import type { Pod } from './pod.ts';
import type { Principal } from '../ports/principal.ts';

/** Why no pod accepts a user or a token. */
export interface Denied {
  readonly code: 'blocked' | 'token_revoked';
  /** For people. */
  readonly error: string;
  /** Of a block. */
  readonly reason?: string | undefined;
}

/** Why a user or its token is not accepted; undefined if it is. It asks nothing of the engine. */
export function whyDenied(denylist: Denylist, principal: Principal): Denied | undefined {
  const { userId, tokenId: jti, issuedAt, hasToken } = principal;
  const block = denylist.blockOf(userId);
  if (block !== undefined) return blocked(block.reason);
  const isRevoked = hasToken === true && denylist.isRevoked({ userId, jti, issuedAt });
  return isRevoked ? { code: 'token_revoked', error: 'the token is revoked' } : undefined;
}

function blocked(reason: string | undefined): Denied {
  return {
    code: 'blocked',
    error: reason ? `the user is blocked: ${reason}` : 'the user is blocked',
    reason,
  };
}

/** Closes what an entry of the denylist is about. */
export function deny(pod: Pod, denial: Denial): void {
  const concerned = denial.kind === 'token' ? pod.hub.connections() : pod.hub.connectionsOf(denial.userId);
  for (const connection of Array.from(concerned)) closeIfDenied(pod, connection);
}

/** Closes a connection whose user or token is not accepted: a block with 4403, a revocation with 4401. */
export function closeIfDenied({ denylist }: Pod, connection: Connection): void {
  const denied = whyDenied(denylist, connection.principal);
  if (denied === undefined) return;
  if (denied.code === 'blocked') connection.close(CLOSE.kicked, denied.reason || 'the user is blocked');
  else connection.close(CLOSE.tokenEnded, 'token revoked');
}
