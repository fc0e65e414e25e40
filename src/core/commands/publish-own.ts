import { isEphemeral, publishToRoom, timestampOf } from './publish.ts';
import type { HookDecision, Submission } from '../ports/hooks.ts';
import type { HttpUser } from './http-user.ts';
import type { Pod } from './pod.ts';
import type { Published } from '../ports/broker.ts';
import { keyOf } from './publish-command.ts';
import { refusePublication } from './may-publish.ts';
import { Refused } from '../base/refused.ts';
import type { Rejection } from '../../protocol/error-codes.ts';

export interface OwnPublication {
  /** Undefined if a hook suppressed the message: no client receives it. */
  readonly published: Pick<Published, 'id' | 'settled' | 'partial'> | undefined;
  /** RFC 3339; of a repeated `ref` that of the first request. */
  readonly timestamp: string;
}

/**
 * Publishes what a user sent over HTTP to a room, as if by a frame. `ref` makes it idempotent, in the same space as the
 * `ref` of a frame. Raises what permissions, the room's rule and the hooks refuse.
 */
export async function publishOwn(
  pod: Pod,
  user: HttpUser,
  draft: Submission & { readonly room: string },
  ref: string | undefined,
): Promise<OwnPublication> {
  const { room } = draft;
  const refusal = refusePublication(pod, user, room, draft.data);
  if (refusal !== undefined) throw refusedBy(refusal);
  const key = keyOf(user.userId, ref);
  if (key !== undefined && pod.hooks?.decidesOnce === true) {
    const id = await pod.broker.claimed?.(room, key);
    if (id !== undefined) return { published: { id }, timestamp: await firstTimestamp(pod, room, key) };
  }
  const decision = await decide(pod, user, draft);
  if (decision.kind === 'refuse') throw refusedBy(decision.rejection);
  if (decision.kind === 'suppress') return { published: undefined, timestamp: timestampOf(pod) };
  const timestamp = await firstTimestamp(pod, room, key);
  const request = { ...decision.content, from: user.userId, key, timestamp };
  return { published: await publishToRoom(pod, room, draft.ephemeral, request), timestamp };
}

function decide(
  pod: Pod,
  user: HttpUser,
  { type, event, data, room, ephemeral }: Submission & { readonly room: string },
): HookDecision | Promise<HookDecision> {
  const content = { type, event, data };
  const { hooks } = pod;
  if (hooks?.publishing === undefined) return { kind: 'publish', content };
  const submission = { ...content, room, ephemeral: isEphemeral(pod, room, ephemeral) };
  const view = user.view(hooks.passedHeaders !== undefined);
  return hooks.publishing(view, submission, pod.rules.ruleOf(room));
}

/** No user id is empty, so no `ref` of a frame makes this key. */
async function firstTimestamp(pod: Pod, room: string, key: string | undefined): Promise<string> {
  const now = timestampOf(pod);
  return key === undefined ? now : pod.broker.claim(room, `\n${key}`, now);
}

function refusedBy({ code, error, retryAfterMs }: Rejection): Refused {
  return new Refused(code, error, retryAfterMs);
}
