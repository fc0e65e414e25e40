import { type Json, utf8Length } from './json.ts';
import type { Member } from './event.ts';

/**
 * How long a list of members may be as text: 500 of them may have 4,096 characters of meta each, and there are clients
 * whose WebSocket takes no frame of 1 MiB. docs/protocol.md promises it.
 */
const LIST_BYTES = 262_144;

/** The members, each as `write` writes it, as far as they fit into one list. */
export function memberList(members: readonly Member[], write: (member: Member) => Json): Json {
  const all = `[${members.map(write).join(',')}]`;
  // Nearly all are so short that nobody need count.
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
