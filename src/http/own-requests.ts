import type { Caller } from './api-env.ts';
import { type DraftBody, toJson } from './schemas.ts';
import type { HttpUser } from '../core/commands/http-user.ts';
import type { Pod } from '../core/commands/pod.ts';
import { publishOwn } from '../core/commands/publish-own.ts';
import { requireReadable } from '../core/commands/read-own.ts';
import type { z } from '@hono/zod-openapi';

const OWN: Readonly<Record<string, RegExp | undefined>> = {
  GET: /^\/api\/rooms\/[^/]+\/(?:history|presence)$/,
  HEAD: /^\/api\/rooms\/[^/]+\/(?:history|presence)$/,
  POST: /^\/api\/rooms\/[^/]+\/messages$/,
  PUT: /^\/api\/rooms\/[^/]+\/presence$/,
};

/** Whether a user may send the request with a token that lacks `api:*`. */
export function isOwnRequest({ method, path }: { readonly method: string; readonly path: string }): boolean {
  return OWN[method]?.test(path) === true;
}

/** Raises what forbids the caller to read a room. The operator's server may read all rooms. */
export async function requireReadableBy(
  pod: Pod,
  { user }: Caller,
  action: 'history' | 'presence',
  room: string,
): Promise<void> {
  if (user?.isServer === false) await requireReadable(pod, user, action, room);
}

/** Publishes as the user; `published` is what the answer says of the message. */
export async function publishAs(
  pod: Pod,
  user: HttpUser,
  room: string,
  { type, event, data, ephemeral }: z.output<typeof DraftBody>,
  ref: string | undefined,
): Promise<{
  readonly published: { readonly id?: string; readonly provisional?: true; readonly partial?: boolean };
  readonly timestamp: string;
}> {
  const draft = { type, event, data: toJson(data), room, ephemeral };
  const { published, timestamp } = await publishOwn(pod, user, draft, ref);
  if (published === undefined) return { published: {}, timestamp };
  const { id, settled, partial } = published;
  // The request is answered already. Without this, a later rejection would be an unhandled one.
  settled?.catch(() => undefined);
  return {
    published: { id, ...(settled && { provisional: true as const }), ...(partial && { partial }) },
    timestamp,
  };
}
