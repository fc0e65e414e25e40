import { Forbidden, isForbidden } from './errors.ts';
import { type Redis, ReplyError } from 'ioredis';
import { type Script, scriptsIn, type ScriptText } from './script.ts';

const script = scriptsIn('connection');
const RIGHTS = script('rights');
/** Succeeds if the server has the slot of its keys. */
export const SERVED = script('served');
export const RIGHTS_SCRIPTS: readonly Script[] = [RIGHTS, SERVED];

/** Keys and channels. */
export interface Names {
  readonly keys: readonly string[];
  readonly channels: readonly string[];
}

export interface RightsOptions {
  readonly client: Redis;
  /** In the form that the server runs. */
  readonly text: (script: Script) => ScriptText;
  /** Keys and channels of all kinds that pods use at the server; the first key is this pod's alone. */
  readonly samples: Names;
  /** Refused last. */
  readonly refused: Names;
  readonly publish: (client: Redis, channel: string, text: string) => Promise<unknown>;
}

/** A publication that every pod ignores; it only proves that a pod can publish. */
export const PROBE = 'probe\n';

/**
 * Proves that the Redis user may do all that pods do, by doing it with keys and channels of its own; so the user needs
 * no right to ask about rights. Raises Forbidden, which names every missing right, or another error that Redis
 * answered.
 */
export async function proveRights(options: RightsOptions): Promise<void> {
  const { client, text, samples } = options;
  const { keys, channels } = samples;
  const failed = (await client.evalsha(text(RIGHTS).sha, keys.length, ...keys, ...channels)) as string[];
  const missing = new Set<string>();
  let other: Error | undefined;
  for (let at = 0; at < failed.length; at += 2) {
    const error = new ReplyError(failed[at + 1]);
    if (isForbidden(error)) missing.add(`${failed[at]}${onWhat(error.message)}`);
    else other ??= error;
  }
  if (missing.size > 0) throw new Forbidden([...missing]);
  if (other !== undefined) throw other;
  await proveRefused(options);
}

/**
 * Rights may cover only some names. Redis checks a script's keys before it runs, so a script that does nothing
 * suffices.
 */
async function proveRefused({ client, text, refused, publish }: RightsOptions): Promise<void> {
  const { keys, channels } = refused;
  const tried = channels.map((channel) => publish(client, channel, PROBE));
  if (keys.length > 0) tried.push(client.evalsha(text(SERVED).sha, keys.length, ...keys));
  for (const one of await Promise.allSettled(tried)) {
    // Other errors do not count: the slot may have moved to another server.
    if (one.status === 'rejected' && isForbidden(one.reason as Error)) throw one.reason;
  }
}

function onWhat(refusal: string): string {
  if (/ channel/.test(refusal)) return ' on its channels';
  return / keys? |a key$/.test(refusal) ? ' with its keys' : '';
}
