import { type Publication, publishToRoom, timestampOf } from '../core/publish.ts';
import { toJson, type Draft } from './schemas.ts';
import type { Pod } from '../core/pod.ts';
import type { z } from '@hono/zod-openapi';

/** Publishes what a request asked for; `key` makes it idempotent. Raises ApiError where it cannot be written as JSON. */
export async function publishDraft(
  pod: Pod,
  room: string,
  { type, event, data, from, ephemeral }: z.output<typeof Draft>,
  key: string | undefined,
): Promise<{ id: string; timestamp: string }> {
  const timestamp = timestampOf(pod);
  const what: Publication = { type, from, event, data: toJson(data), key, timestamp };
  const { id } = await publishToRoom(pod, room, ephemeral, what);
  return { id, timestamp };
}
