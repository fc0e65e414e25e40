import { integerIn } from './command.ts';
import { notModelled, Refused, SYNTAX } from './replies.ts';

export interface Scan {
  readonly from: number;
  readonly count: number;
}

/** Cursor and options of HSCAN or SSCAN. */
export function readScan([cursor = '', option, count, ...more]: readonly string[]): Scan {
  if (!/^\d{1,20}$/.test(cursor)) throw new Refused('ERR invalid cursor');
  if (option === undefined) return { from: Number(cursor), count: 10 };
  if (option.toUpperCase() !== 'COUNT' || more.length > 0) throw notModelled('options of a scan');
  const most = integerIn(count);
  if (most < 1) throw SYNTAX;
  return { from: Number(cursor), count: most };
}

/**
 * The names from a cursor on. They come in the order of a number that each has for itself, which the cursor is: so
 * whatever is there from the first page to the last is given, whatever else comes and goes meanwhile.
 */
export function page(
  all: readonly string[],
  { from, count }: Scan,
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
