import { type Call, type DataCommand, firstKey, integerIn, wrongArity } from './command.ts';
import type { StreamEntry, StreamId, ValueOf } from './data.ts';
import { NO_LIST, notModelled, Refused, type Reply, SYNTAX } from './replies.ts';
import { BAD_ID, compareIds, idAfter, idBefore, idIn, idText, MOST, ZERO } from './stream-ids.ts';

/** Commands about streams. */
export const STREAM_COMMANDS: Readonly<Record<string, DataCommand>> = {
  XLEN: {
    arity: 2,
    keys: firstKey,
    run: ({ db }, [, key = '']) => db.find(key, 'stream')?.entries.length ?? 0,
  },
  XRANGE: { arity: -4, keys: firstKey, run: (call, words) => range(call, words, false) },
  XREVRANGE: { arity: -4, keys: firstKey, run: (call, words) => range(call, words, true) },
  XADD: { arity: -5, writes: true, grows: true, keys: firstKey, run: append },
  XTRIM: { arity: -4, writes: true, keys: firstKey, run: trim },
};

type Stream = ValueOf<'stream'>;
type Trimming = { readonly most: number } | { readonly least: StreamId };

const TOO_SMALL = new Refused(
  'ERR The ID specified in XADD is equal or smaller than the target stream top item',
);
const NOT_ABOVE_ZERO = new Refused('ERR The ID specified in XADD must be greater than 0-0');

function append({ db }: Call, words: readonly string[]): Reply {
  const [name = '', key = '', ...rest] = words;
  const { mayBegin, trimming, used } = appendOptions(rest);
  const [text = '', ...fields] = rest.slice(used);
  const isGiven = text !== '*';
  if (text.endsWith('-*')) throw notModelled('XADD with a part of an id');
  const given = isGiven ? idIn(text, 0) : ZERO;
  if (fields.length === 0 || fields.length % 2 === 1) throw wrongArity(name);
  if (isGiven && compareIds(given, ZERO) === 0) throw NOT_ABOVE_ZERO;
  const found = db.find(key, 'stream');
  if (found === undefined && !mayBegin) return null;
  const last = found?.last ?? ZERO;
  const id = isGiven ? given : nextId(last, db.now());
  if (compareIds(id, last) <= 0) throw TOO_SMALL;
  const stream = found ?? db.put(key, { type: 'stream', entries: [], last: ZERO });
  stream.entries.push({ ...id, fields });
  stream.last = id;
  if (trimming !== undefined) cut(stream, trimming);
  db.changed(...words.slice(0, 2 + used), idText(id), ...fields);
  return idText(id);
}

function nextId(last: StreamId, now: number): StreamId {
  return now > last.ms ? { ms: now, seq: 0 } : idAfter(last, TOO_SMALL);
}

function appendOptions(words: readonly string[]): {
  readonly mayBegin: boolean;
  readonly trimming: Trimming | undefined;
  readonly used: number;
} {
  let mayBegin = true;
  let trimming: Trimming | undefined;
  let used = 0;
  for (;;) {
    const word = words[used] ?? '';
    if (/^NOMKSTREAM$/i.test(word)) {
      mayBegin = false;
      used += 1;
    } else if (/^(?:MAXLEN|MINID)$/i.test(word)) {
      const found = trimmingIn(words.slice(used));
      trimming = found.trimming;
      used += found.used;
    } else {
      return { mayBegin, trimming, used };
    }
  }
}

function trim({ db }: Call, words: readonly string[]): Reply {
  const [, key = '', ...rest] = words;
  const { trimming, used } = trimmingIn(rest);
  if (used < rest.length) throw SYNTAX;
  const stream = db.find(key, 'stream');
  if (stream === undefined) return 0;
  const cutOff = cut(stream, trimming);
  if (cutOff > 0) db.changed(...words);
  return cutOff;
}

/** MAXLEN or MINID, exactly so, and how many words say it. */
function trimmingIn(words: readonly string[]): { trimming: Trimming; used: number } {
  const [strategy = ''] = words;
  if (words[1] === '~') throw notModelled('trimming that is not exact');
  const used = words[1] === '=' && words.length > 2 ? 3 : 2;
  const threshold = words[used - 1];
  if (threshold === undefined) throw SYNTAX;
  if (/^MINID$/i.test(strategy)) return { trimming: { least: idIn(threshold, 0) }, used };
  if (!/^MAXLEN$/i.test(strategy)) throw SYNTAX;
  const most = integerIn(threshold);
  if (most < 0) throw new Refused('ERR The MAXLEN argument must be >= 0.');
  return { trimming: { most }, used };
}

/** Gives how many entries that took away. */
function cut(stream: Stream, trimming: Trimming): number {
  const { entries } = stream;
  const from =
    'most' in trimming ? Math.max(entries.length - trimming.most, 0) : firstFrom(entries, trimming.least);
  if (from > 0) entries.splice(0, from);
  return from;
}

function range({ db }: Call, words: readonly string[], newestFirst: boolean): Reply {
  const [, key = '', one = '', other = '', ...options] = words;
  const from = startIn(newestFirst ? other : one);
  const to = endIn(newestFirst ? one : other);
  const most = countIn(options);
  const entries = db.find(key, 'stream')?.entries;
  if (entries === undefined) return [];
  if (most <= 0) return NO_LIST;
  const first = firstFrom(entries, from);
  const end = to === MOST ? entries.length : firstFrom(entries, to, true);
  if (end <= first) return [];
  const some = newestFirst
    ? entries.slice(Math.max(first, end - most), end).toReversed()
    : entries.slice(first, Math.min(end, first + most));
  return some.map((entry) => [idText(entry), entry.fields]);
}

/** The place of the first entry at the id or after it; with `behind` only after it. */
function firstFrom(entries: readonly StreamEntry[], id: StreamId, behind = false): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const compared = compareIds(entries[middle] ?? MOST, id);
    if (compared < 0 || (behind && compared === 0)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function startIn(text: string): StreamId {
  if (text.startsWith('('))
    return idAfter(openIn(text, 0), new Refused('ERR invalid start ID for the interval'));
  return text === '-' ? ZERO : text === '+' ? MOST : idIn(text, 0);
}

function endIn(text: string): StreamId {
  if (text.startsWith('('))
    return idBefore(openIn(text, MOST.seq), new Refused('ERR invalid end ID for the interval'));
  return text === '-' ? ZERO : text === '+' ? MOST : idIn(text, MOST.seq);
}

function openIn(text: string, sequence: StreamId['seq']): StreamId {
  const id = text.slice(1);
  if (id === '-' || id === '+') throw BAD_ID;
  return idIn(id, sequence);
}

function countIn(options: readonly string[]): number {
  let count = Number.POSITIVE_INFINITY;
  for (let at = 0; at < options.length; at += 2) {
    if (options[at]?.toUpperCase() !== 'COUNT' || at + 1 === options.length) throw SYNTAX;
    count = integerIn(options[at + 1]);
  }
  return count;
}
