import { type PublishRequest, publishToRoom, timestampOf } from '../core/commands/publish.ts';
import { toJson, type DraftBody } from './schemas.ts';
import type { Pod } from '../core/commands/pod.ts';
import type { z } from '@hono/zod-openapi';

export interface PublishAnswer {
  readonly id: string;
  readonly timestamp: string;
  /** The message still waits for the engine, and `id` is not a position. */
  readonly provisional?: true;
  /** The message could not be sent to other pods. */
  readonly partial?: boolean;
}

/**
 * The timestamp of a publication: now, or for a repeated `key` that of the first request. Raises `Refused` as
 * `Broker.claim` does.
 */
export async function firstTimestamp(pod: Pod, room: string, key: string | undefined): Promise<string> {
  const now = timestampOf(pod);
  return key === undefined ? now : pod.broker.claim(room, `${key}:timestamp`, now);
}

/** Publishes to a room; `key` makes it idempotent. Raises ApiError if `data` is nested too deeply. */
export async function publishDraft(
  pod: Pod,
  room: string,
  { type, event, data, from, ephemeral }: z.output<typeof DraftBody>,
  key: string | undefined,
  timestamp = timestampOf(pod),
): Promise<PublishAnswer> {
  const what: PublishRequest = { type, from, event, data: toJson(data), isFromServer: true, key, timestamp };
  const { id, settled, partial } = await publishToRoom(pod, room, ephemeral, what);
  // The request is answered already. Without this, a later rejection would be an unhandled one.
  settled?.catch(() => undefined);
  return { id, timestamp, ...(settled && { provisional: true }), ...(partial && { partial }) };
}
