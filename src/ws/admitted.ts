import { arrive, type Arrived } from '../core/commands/arrive.ts';
import { backendUnavailable, refusalOf, type UpgradeRefusal } from '../core/base/upgrade-refusal.ts';
import type { ConnectionView, Hooks, JoinGrant, Occasion } from '../core/ports/hooks.ts';
import { decideJoin } from '../core/commands/ask-join.ts';
import { isOwn } from '../core/commands/may-join.ts';
import { ERRORS } from '../protocol/error-codes.ts';
import { evidenceOf } from '../core/commands/hook-views.ts';
import type { IncomingHttpHeaders } from 'node:http';
import type { Pod } from '../core/commands/pod.ts';
import type { Permissions, Principal } from '../core/ports/principal.ts';
import type { Source } from '../core/delivery/connection.ts';
import type { Target } from './target.ts';
import type { Welcome } from '../core/commands/gateway.ts';

export const MISSING_TOKEN: UpgradeRefusal = { status: 401, error: 'missing token', code: 'missing_token' };

/** A client that asks to connect. */
export interface Asked {
  /** Of the connection, should it come to one. */
  readonly id: string;
  readonly target: Target;
  /** The user of the token or of the address. */
  readonly known: Principal | undefined;
  /** What a client may do that nobody needs to name, while authentication is off. */
  readonly everyClient?: Permissions | undefined;
  /** Undefined if no hook sees it. */
  readonly source?: Source | undefined;
}

/** A client that may connect. */
export interface Admitted {
  readonly target: Target;
  readonly principal: Principal;
  readonly source?: Source | undefined;
  readonly welcome?: Welcome | undefined;
  /** The API gave the user the room in the address, which nothing else permits. */
  readonly isGranted?: boolean | undefined;
}

/** The client as its token or its address names it. */
export function identifiedIn({ known, target, source }: Asked): Admitted | UpgradeRefusal {
  return known === undefined ? MISSING_TOKEN : { principal: known, target, source };
}

/** Asks the hooks whether a client may connect, and as whom. */
export async function arrival(
  hooks: Hooks,
  { id, target, known, everyClient, source }: Asked,
  occasion: Occasion,
  now: number,
): Promise<Admitted | UpgradeRefusal> {
  const { room } = target.address;
  const userId = known?.userId ?? null;
  const about = { occasion, id, userId, room, evidence: evidenceOf(source, known) };
  const arrived: Arrived | UpgradeRefusal = await arrive(hooks, now, about, known, everyClient);
  if ('status' in arrived) return arrived;
  const { principal, rooms, data } = arrived;
  return { target, principal, source, welcome: { rooms, data } };
}

/** Asks the hooks about the join of the room in the address, unless the room is given without a question. */
export async function addressJoin(
  pod: Pod,
  hooks: Hooks,
  admitted: Admitted,
  id: string,
): Promise<{ readonly join?: JoinGrant } | UpgradeRefusal> {
  const { room } = admitted.target.address;
  if (room === undefined || admitted.isGranted || admitted.welcome?.rooms?.includes(room)) return {};
  if (isOwn(pod, admitted.principal, room)) return {};
  const decision = await decideJoin(pod, hooks, viewOfAdmitted(id, admitted), room);
  switch (decision.kind) {
    case 'allow':
      return { join: decision.grant };
    case 'refuse':
      return refusalOf(decision);
    case 'failed':
      return { ...backendUnavailable(), code: 'unavailable', error: ERRORS.unavailable };
  }
}

export function viewOfAdmitted(id: string, { principal, source }: Admitted): ConnectionView {
  return { id, userId: principal.userId, rooms: [], evidence: evidenceOf(source, principal) };
}

/** The headers that the operator passes on. */
export function passedOn(headers: IncomingHttpHeaders, names: readonly string[]): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const name of names) {
    const value = headers[name];
    if (value !== undefined) passed[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return passed;
}
