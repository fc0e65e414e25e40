import { type Json, utf8Length } from './json.ts';
import type { Member } from './event.ts';

/**
 * The maximum length of a member list. 500 members may have 4,096 characters of meta each, and the WebSockets of some
 * clients accept no frame of 1 MiB. docs/protocol.md promises this limit.
 */
const LIST_BYTES = 262_144;

/** So many texts of so many characters each are kept at most: about 1 MB. */
const MOST_TEXTS = 4_096;
const MOST_CHARS = 256;

/** Keeps what `write` returns for a member, which is the same object in each list until the member changes. */
export function writtenOnce(write: (member: Member) => Json): (member: Member) => Json {
  let texts = new WeakMap<Member, Json>();
  let count = 0;
  return (member) => {
    const known = texts.get(member);
    if (known !== undefined) return known;
    const text = write(member);
    if (text.length > MOST_CHARS) return text;
    if (count === MOST_TEXTS) [texts, count] = [new WeakMap(), 0];
    count += 1;
    texts.set(member, text);
    return text;
  };
}

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
