import { Forbidden, isForbidden } from './errors.ts';
import { type Redis, ReplyError } from 'ioredis';
import { type Script, scriptsIn, type ScriptText } from './script.ts';

const script = scriptsIn('connection');
const RIGHTS = script('rights');
/** Does nothing with its keys. */
export const SERVED = script('served');
export const RIGHTS_SCRIPTS: readonly Script[] = [RIGHTS, SERVED];

/** Keys and channels. */
export interface Names {
  readonly keys: readonly string[];
  readonly channels: readonly string[];
}

export interface RightsOptions {
  readonly client: Redis;
  /** Which form of a script is called. */
  readonly text: (script: Script) => ScriptText;
  /** Such as stand for all that pods use there; the first key is this pod's alone. */
  readonly samples: Names;
  /** What was refused last. */
  readonly refused: Names;
  readonly publish: (client: Redis, channel: string, text: string) => Promise<unknown>;
}

/** What is published that nobody is to take notice of: it only shows that it can be. */
export const PROBE = 'probe\n';

/**
 * Finds out whether the user may do all that pods do, by doing it where nobody sees it: without any right to ask about
 * rights. Raises an error that names everything that is missing, or another that Redis answered.
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

/** Where rights are given for some names only. Whether a script may touch keys is looked at before it begins. */
async function proveRefused({ client, text, refused, publish }: RightsOptions): Promise<void> {
  const { keys, channels } = refused;
  const tried = channels.map((channel) => publish(client, channel, PROBE));
  if (keys.length > 0) tried.push(client.evalsha(text(SERVED).sha, keys.length, ...keys));
  for (const one of await Promise.allSettled(tried)) {
    // What fails otherwise may be another server's by now.
    if (one.status === 'rejected' && isForbidden(one.reason as Error)) throw one.reason;
  }
}

function onWhat(refusal: string): string {
  if (/ channel/.test(refusal)) return ' on its channels';
  return / keys? |a key$/.test(refusal) ? ' with its keys' : '';
}
