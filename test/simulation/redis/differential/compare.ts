import type { Answer } from './sides.ts';
import { type Parsed, shown } from './wire.ts';

/** Commands whose answers have no order: names and values in turn, or names. */
const PAIRS = new Set(['HGETALL']);
const NAMES = new Set(['SMEMBERS', 'SPOP', 'KEYS']);
const SCANS = new Set(['HSCAN', 'SSCAN']);

/** How an answer is compared. */
export interface Comparison {
  readonly command: string;
  /** It comes from a script that takes members of a set in any order: only all its words together count. */
  readonly isShuffled: boolean;
  /** What was pushed by it came on the same connection, and is compared with it. */
  readonly withPushes: boolean;
}

/** What the two sides must have in common, as a text. */
export function comparable(answer: Answer, { command, isShuffled, withPushes }: Comparison): string {
  const { reply } = answer;
  const pushes = withPushes ? answer.pushes : [];
  if (isShuffled && reply.kind === '*') {
    const words = [reply, ...pushes].flatMap(textsIn).flatMap((text) => text.split(/[ \n]/));
    return words.toSorted().join(' ');
  }
  return [inOrder(reply, command), ...pushes.map(shown)].join('\n');
}

function inOrder(reply: Parsed, command: string): string {
  if (PAIRS.has(command)) return sortedPairs(reply);
  if (NAMES.has(command)) return sorted(reply);
  if (!SCANS.has(command) || !Array.isArray(reply.value)) return shown(reply);
  const [cursor, items] = reply.value as [Parsed, Parsed];
  // Each side has pages of its own; a scan only reads.
  return cursor.value === '0'
    ? command === 'HSCAN'
      ? sortedPairs(items)
      : sorted(items)
    : 'a page of several';
}

function sorted(reply: Parsed): string {
  return Array.isArray(reply.value)
    ? reply.kind + reply.value.map(shown).toSorted().join(', ')
    : shown(reply);
}

function sortedPairs(reply: Parsed): string {
  if (!Array.isArray(reply.value)) return shown(reply);
  const items = (reply.value as Parsed[]).map(shown);
  const pairs = items.flatMap((item, at) => (at % 2 === 0 ? [`${item}: ${items[at + 1]}`] : []));
  return reply.kind + pairs.toSorted().join(', ');
}

function textsIn({ value }: Parsed): string[] {
  if (typeof value === 'string') return [value];
  return value === null ? [] : value.flatMap(textsIn);
}
