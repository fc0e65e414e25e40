import { type Publication, publishToRoom, timestampOf } from '../core/publish.ts';
import { toJson, type Draft } from './schemas.ts';
import type { Pod } from '../core/pod.ts';
import type { z } from '@hono/zod-openapi';

export interface PublishedDraft {
  readonly id: string;
  readonly timestamp: string;
  /** It waits for Redis, and `id` is no position. */
  readonly provisional?: true;
  /** It could not be sent to other pods. */
  readonly partial?: boolean;
}

/** Publishes what a request asked for; `key` makes it idempotent. Raises ApiError where it cannot be written as JSON. */
export async function publishDraft(
  pod: Pod,
  room: string,
  { type, event, data, from, ephemeral }: z.output<typeof Draft>,
  key: string | undefined,
): Promise<PublishedDraft> {
  const timestamp = timestampOf(pod);
  const what: Publication = { type, from, event, data: toJson(data), key, timestamp };
  const { id, settled, partial } = await publishToRoom(pod, room, ephemeral, what);
  // Whatever becomes of it, this request has its answer.
  settled?.catch(() => undefined);
  return { id, timestamp, ...(settled && { provisional: true }), ...(partial && { partial }) };
}
