import type {
  HookArrival,
  HookConnection,
  HookMessage,
  HookReplacement,
  Refusal,
} from '../../src/hooks/types.ts';

/**
 * Hooks that keep a chat clean. Start a pod with HOOKS_MODULE=examples/hooks/profanity.ts. The file imports only types,
 * so that a copy of it runs anywhere.
 */

const MASKED = /\b(?:darn|heck)\b/gi;
const SUPPRESSED = /\bbuy followers\b/i;
const MASKED_AT_MOST = 3;
const BANNED: ReadonlySet<string> = new Set(['mallory']);

/** The number of masked messages per connection id. */
const offences = new Map<string, number>();

/** Refuses banned users before the handshake, with 403. */
export function onConnect({ userId }: HookArrival): void {
  if (userId !== null && BANNED.has(userId)) throw refusal('forbidden', 'you are banned from this chat');
}

export function onDisconnect({ id }: HookArrival): void {
  if (id !== null) offences.delete(id);
}

export function onMessage(
  connection: HookConnection,
  message: HookMessage,
): HookReplacement | null | undefined {
  const text = textOf(message.data);
  if (text === undefined) return undefined;
  if (SUPPRESSED.test(text)) return null;
  const clean = text.replaceAll(MASKED, (word) => '*'.repeat(word.length));
  if (clean !== text) countOffence(connection);
  // Overwrites any `moderation` that the client sent, so that receivers can trust the field.
  return { data: { ...(message.data as object), text: clean, moderation: { masked: clean !== text } } };
}

function textOf(data: unknown): string | undefined {
  const isObject = typeof data === 'object' && data !== null;
  return isObject && 'text' in data && typeof data.text === 'string' ? data.text : undefined;
}

function countOffence({ id }: HookConnection): void {
  // A request over HTTP has no connection, and only one message.
  if (id === null) return;
  const count = (offences.get(id) ?? 0) + 1;
  offences.set(id, count);
  if (count > MASKED_AT_MOST) throw refusal('forbidden', 'mind your language');
}

function refusal(code: Refusal['code'], error: string): Error {
  return Object.assign(new Error(error), { code, error });
}
