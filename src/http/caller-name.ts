import type { Caller } from './api-env.ts';

/** The characters of a key's digest in a log: they tell keys apart, and are too few to test guesses of a key. */
const DIGEST = 8;
const KEY = 'key:';

/** Names the caller in a log line: `user:<id>`, `key:<beginning of the key's digest>`, or `anonymous`. */
export function nameForLog({ name }: Caller): string {
  if (name === undefined) return 'anonymous';
  return name.startsWith(KEY) ? name.slice(0, KEY.length + DIGEST) : name;
}
