import type { HookConnection, HookMessage, HookReplacement, Refusal } from '../../src/hooks/types.ts';

/**
 * Hooks that keep a chat clean; start a pod with HOOKS_MODULE=examples/hooks/profanity.ts. Only types are imported,
 * so that a copy of this file runs anywhere.
 */

const MASKED = /\b(?:darn|heck)\b/gi;
const SUPPRESSED = /\bbuy followers\b/i;
const MASKED_AT_MOST = 3;
const BANNED: ReadonlySet<string> = new Set(['mallory']);

/** Masked messages of each connection. */
const offences = new Map<string, number>();

/** Turned away before the handshake, with 403. */
export function onConnect({ userId }: HookConnection): void {
  if (BANNED.has(userId)) throw refusal('forbidden', 'you are banned from this chat');
}

/** What is kept for a connection ends with it. */
export function onDisconnect({ id }: HookConnection): void {
  offences.delete(id);
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
  // What a client put into `moderation` is replaced: receivers can rely on it.
  return { data: { ...(message.data as object), text: clean, moderation: { masked: clean !== text } } };
}

function textOf(data: unknown): string | undefined {
  const isObject = typeof data === 'object' && data !== null;
  return isObject && 'text' in data && typeof data.text === 'string' ? data.text : undefined;
}

function countOffence({ id }: HookConnection): void {
  const count = (offences.get(id) ?? 0) + 1;
  offences.set(id, count);
  if (count > MASKED_AT_MOST) throw refusal('forbidden', 'mind your language');
}

function refusal(code: Refusal['code'], error: string): Error {
  return Object.assign(new Error(error), { code, error });
}
