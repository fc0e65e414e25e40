import { type Publication, publishToRoom } from '../core/publish.ts';
import { toJson, type Draft } from './schemas.ts';
import type { Pod } from '../core/pod.ts';
import type { z } from '@hono/zod-openapi';

/** A pod at one moment: what is published through it bears exactly this timestamp. */
export function atThisMoment(pod: Pod): { moment: Pod; timestamp: string } {
  const now = pod.clock.now();
  const clock = { now: () => now, after: pod.clock.after.bind(pod.clock) };
  return { moment: { ...pod, clock }, timestamp: new Date(now).toISOString() };
}

/** Publishes what a request asked for; `key` makes it idempotent. Raises ApiError where it cannot be written as JSON. */
export async function publishDraft(
  pod: Pod,
  room: string,
  { type, event, data, from, ephemeral }: z.output<typeof Draft>,
  key: string | undefined,
): Promise<{ id: string; timestamp: string }> {
  const { moment, timestamp } = atThisMoment(pod);
  const what: Publication = { type, from, event, data: toJson(data), key };
  const { id } = await publishToRoom(moment, room, ephemeral, what);
  return { id, timestamp };
}
