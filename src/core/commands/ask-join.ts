import type { ConnectionView, Hooks, JoinDecision, JoinGrant } from '../ports/hooks.ts';
import type { Pod } from './pod.ts';
import { Refused } from '../base/refused.ts';

/** What comes with a join about which nobody is asked. */
export const NOTHING: JoinGrant = {};

/** Asks the hooks whether a user may join, or read, a room that the user's permissions allow. Raises what they refuse. */
export function askJoin(pod: Pod, who: ConnectionView, room: string): JoinGrant | Promise<JoinGrant> {
  const { hooks } = pod;
  if (hooks?.joining === undefined) return NOTHING;
  const decision = decideJoin(pod, hooks, who, room);
  return decision instanceof Promise ? decision.then(grantOf) : grantOf(decision);
}

/** The same as a decision. */
export function decideJoin(
  { rules }: Pick<Pod, 'rules'>,
  { joining }: Hooks,
  who: ConnectionView,
  room: string,
): JoinDecision | Promise<JoinDecision> {
  return joining === undefined ? { kind: 'allow', grant: NOTHING } : joining(who, room, rules.ruleOf(room));
}

function grantOf(decision: JoinDecision): JoinGrant {
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
