import { integerIn } from './command.ts';
import { notModelled, Refused, SYNTAX } from './replies.ts';

/** The cursor of HSCAN or SSCAN; raises Refused. */
export function cursorIn(text = ''): number {
  if (!/^(?:-?\d{1,20})?$/.test(text)) throw new Refused('ERR invalid cursor');
  return Number(BigInt.asUintN(64, BigInt(text)));
}

/** How many names a page has about, as the options say; raises Refused. */
export function countIn(options: readonly string[]): number {
  let count = 10;
  for (let at = 0; at < options.length; at += 2) {
    const option = options[at]?.toUpperCase();
    if (at + 1 === options.length || (option !== 'COUNT' && option !== 'MATCH')) throw SYNTAX;
    if (option === 'MATCH') throw notModelled('MATCH of a scan');
    count = integerIn(options[at + 1]);
    if (count < 1) throw SYNTAX;
  }
  return count;
}

/**
 * The names from a cursor on. They come in the order of a number that each has for itself, which the cursor is: so
 * whatever is there from the first page to the last is given, whatever else comes and goes meanwhile.
 */
export function page(
  all: readonly string[],
  from: number,
  count: number,
): { next: string; names: readonly string[] } {
  if (from === 0 && all.length <= count) return { next: '0', names: all };
  const placed = all.map((name) => ({ name, place: placeOf(name) })).filter(({ place }) => place >= from);
  placed.sort((one, other) => one.place - other.place);
  const last = placed[count - 1];
  if (last === undefined || count >= placed.length)
    return { next: '0', names: placed.map(({ name }) => name) };
  const names = placed.filter(({ place }) => place <= last.place).map(({ name }) => name);
  return { next: names.length === placed.length ? '0' : String(last.place + 1), names };
}

/** At least 1, since 0 is where a scan begins: FNV-1a (https://datatracker.ietf.org/doc/html/draft-eastlake-fnv). */
function placeOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at += 1) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  return (hash >>> 0) + 1;
}
