import { type PublishRequest, publishToRoom, timestampOf } from '../core/commands/publish.ts';
import { toJson, type DraftBody } from './schemas.ts';
import type { Pod } from '../core/commands/pod.ts';
import type { z } from '@hono/zod-openapi';

export interface PublishAnswer {
  readonly id: string;
  readonly timestamp: string;
  /** It waits for Redis, and `id` is no position. */
  readonly provisional?: true;
  /** It could not be sent to other pods. */
  readonly partial?: boolean;
}

/**
 * When a publication is made; for one that is repeated under its `key`, when it was made first. Raises `Refused` as
 * `Broker.claim` does.
 */
export async function firstTimestamp(pod: Pod, room: string, key: string | undefined): Promise<string> {
  const now = timestampOf(pod);
  return key === undefined ? now : pod.broker.claim(room, `${key}:timestamp`, now);
}

/** Publishes what a request asked for; `key` makes it idempotent. Raises ApiError where it cannot be written as JSON. */
export async function publishDraft(
  pod: Pod,
  room: string,
  { type, event, data, from, ephemeral }: z.output<typeof DraftBody>,
  key: string | undefined,
  timestamp = timestampOf(pod),
): Promise<PublishAnswer> {
  const what: PublishRequest = { type, from, event, data: toJson(data), key, timestamp };
  const { id, settled, partial } = await publishToRoom(pod, room, ephemeral, what);
  // Whatever becomes of it, this request has its answer.
  settled?.catch(() => undefined);
  return { id, timestamp, ...(settled && { provisional: true }), ...(partial && { partial }) };
}
