import { DEFAULT_PERMISSIONS } from '../base/permissions.ts';
import { backendUnavailable, refusalOf, type UpgradeRefusal } from '../base/upgrade-refusal.ts';
import type { Arrival, Grant, Hooks } from '../ports/hooks.ts';
import type { Json } from '../../protocol/json.ts';
import type { Permissions, Principal } from '../ports/principal.ts';

/** Whom the hooks let in. */
export interface Arrived {
  readonly principal: Principal;
  /** Rooms that the connection joins at once. */
  readonly rooms?: readonly string[] | undefined;
  /** For the client. */
  readonly data?: Json | undefined;
}

/**
 * Asks the hooks whether a client may connect, and as whom: a connection, a request with the user's own token, or a
 * connection with a new token. `known`: the user of the token, or while authentication is off of the address; undefined
 * if the client names nobody, or may not (`Hooks.identifies`). `everyClient`: what a client may do that nobody names,
 * while authentication is off; undefined while it is on. `now` is in milliseconds since 1970.
 */
export async function arrive(
  hooks: Hooks,
  now: number,
  arrival: Arrival,
  known: Principal | undefined,
  everyClient?: Permissions,
): Promise<Arrived | UpgradeRefusal> {
  const decision = await hooks.connecting(arrival);
  if (decision.kind === 'refuse') return refusalOf(decision);
  if (decision.kind === 'failed') return backendUnavailable();
  const { rooms, data } = decision.grant;
  const principal = principalOf(arrival, known, decision.grant, everyClient);
  if (principal === undefined) return MISSING_TOKEN;
  if (principal.expiresAt !== undefined && principal.expiresAt <= now) return TOKEN_EXPIRED;
  return { principal, rooms, data };
}

const TOKEN_EXPIRED: UpgradeRefusal = { status: 401, error: 'token expired', code: 'token_expired' };
const MISSING_TOKEN: UpgradeRefusal = { status: 401, error: 'missing token', code: 'missing_token' };

/** Undefined while authentication is on and nobody names the user. */
function principalOf(
  { id }: Arrival,
  known: Principal | undefined,
  grant: Grant,
  everyClient: Permissions | undefined,
): Principal | undefined {
  const userId = grant.userId ?? known?.userId ?? (everyClient === undefined ? null : id);
  if (userId === null) return undefined;
  const permissions = grant.permissions ?? known?.permissions ?? everyClient ?? DEFAULT_PERMISSIONS;
  return { ...known, userId, permissions, expiresAt: earlier(grant.expiresAt, known?.expiresAt) };
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}
