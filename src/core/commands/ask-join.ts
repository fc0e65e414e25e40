import type { ConnectionView, Hooks, JoinDecision, JoinGrant } from '../ports/hooks.ts';
import type { Connection } from '../delivery/connection.ts';
import type { Pod } from './pod.ts';
import { Refused } from '../base/refused.ts';
import { viewOf } from './hook-views.ts';

const NOTHING: JoinGrant = {};

/** Asks the hooks whether a connection may join a room that its permissions allow. Raises what they refuse. */
export function askJoin(pod: Pod, connection: Connection, room: string): JoinGrant | Promise<JoinGrant> {
  const { hooks } = pod;
  if (hooks?.joining === undefined) return NOTHING;
  const decision = decideJoin(pod, hooks, viewOf(connection), room);
  return decision instanceof Promise ? decision.then(grantOf) : grantOf(decision);
}

/** The same for anyone who wants to join or read a room, as a decision. */
export function decideJoin(
  { rules }: Pick<Pod, 'rules'>,
  { joining }: Hooks,
  who: ConnectionView,
  room: string,
): JoinDecision | Promise<JoinDecision> {
  return joining === undefined ? { kind: 'allow', grant: NOTHING } : joining(who, room, rules.ruleOf(room));
}

/** Raises the refusal. */
export function grantOf(decision: JoinDecision): JoinGrant {
  switch (decision.kind) {
    case 'allow':
      return decision.grant;
    case 'refuse': {
      const { code, error, retryAfterMs } = decision.rejection;
      throw new Refused(code, error, retryAfterMs);
    }
    case 'failed':
      throw new Refused('unavailable');
  }
}
