import { type Json, utf8Length } from './json.ts';
import type { Member } from './event.ts';

/**
 * The maximum length of a member list. 500 members may have 4,096 characters of meta each, and the WebSockets of some
 * clients accept no frame of 1 MiB. docs/protocol.md promises this limit.
 */
const LIST_BYTES = 262_144;

/** A JSON list of the members, each encoded by `write`, cut where it would exceed the limit. */
export function memberList(members: readonly Member[], write: (member: Member) => Json): Json {
  const all = `[${members.map(write).join(',')}]`;
  // At most three bytes per UTF-16 unit: short lists need no counting.
  if (all.length * 3 <= LIST_BYTES) return all;
  const fitting: Json[] = [];
  let bytes = 2;
  for (const member of members) {
    const text = write(member);
    bytes += utf8Length(text) + 1;
    if (bytes > LIST_BYTES) break;
    fitting.push(text);
  }
  return `[${fitting.join(',')}]`;
}
