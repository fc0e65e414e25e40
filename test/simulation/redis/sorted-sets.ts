import { type Call, type DataCommand, firstKey, integerIn } from './command.ts';
import { Double, Refused, type Reply, Scored, SYNTAX } from './replies.ts';

/** Commands about sorted sets. */
export const SORTED_SET_COMMANDS: Readonly<Record<string, DataCommand>> = {
  ZCARD: { arity: 2, keys: firstKey, run: ({ db }, [, key = '']) => db.find(key, 'zset')?.scores.size ?? 0 },
  ZSCORE: { arity: 3, keys: firstKey, run: score },
  ZRANGEBYSCORE: { arity: -4, keys: firstKey, run: rangeByScore },
  ZRANGEBYLEX: { arity: -4, keys: firstKey, run: rangeByName },
  ZADD: { arity: -4, writes: true, grows: true, keys: firstKey, run: add },
  ZREM: { arity: -3, writes: true, keys: firstKey, run: remove },
};

const NOT_A_SCORE = new Refused('ERR value is not a valid float');
const BAD_SCORES = new Refused('ERR min or max is not a float');
const BAD_NAMES = new Refused('ERR min or max not valid string range item');

function score({ db }: Call, [, key = '', member = '']: readonly string[]): Reply {
  const found = db.find(key, 'zset')?.scores.get(member);
  return found === undefined ? null : new Double(found);
}

function add({ db }: Call, words: readonly string[]): Reply {
  const [, key = '', ...pairs] = words;
  if (pairs.length % 2 === 1) throw SYNTAX;
  const scored: [string, number][] = [];
  for (let at = 0; at < pairs.length; at += 2)
    scored.push([pairs[at + 1] ?? '', scoreIn(pairs[at] ?? '', NOT_A_SCORE)]);
  const set = db.find(key, 'zset') ?? db.put(key, { type: 'zset', scores: new Map(), order: undefined });
  const before = set.scores.size;
  let changed = false;
  for (const [member, one] of scored) {
    if (set.scores.get(member) === one) continue;
    set.scores.set(member, one);
    changed = true;
  }
  if (changed) {
    set.order = undefined;
    db.changed(...words);
  }
  return set.scores.size - before;
}

function remove({ db }: Call, words: readonly string[]): Reply {
  const [, key = '', ...members] = words;
  const set = db.find(key, 'zset');
  if (set === undefined) return 0;
  const removed = members.filter((member) => set.scores.delete(member)).length;
  set.order = undefined;
  if (set.scores.size === 0) db.remove(key);
  if (removed > 0) db.changed(...words);
  return removed;
}

function rangeByScore({ db }: Call, [, key = '', from = '', to = '', ...words]: readonly string[]): Reply {
  const { offset, count, withScores } = rangeOptions(words, true);
  const isAfter = scoreBound(from, -1);
  const isBefore = scoreBound(to, 1);
  const set = db.find(key, 'zset');
  if (set === undefined) return [];
  const score = (member: string): number => set.scores.get(member) ?? 0;
  const within = inOrder(set).filter((member) => isAfter(score(member)) >= 0 && isBefore(score(member)) <= 0);
  const members = within.slice(offset, offset + count);
  return withScores ? new Scored(members.flatMap((member) => [member, new Double(score(member))])) : members;
}

function rangeByName({ db }: Call, [, key = '', from = '', to = '', ...words]: readonly string[]): Reply {
  const { offset, count } = rangeOptions(words, false);
  const isAfter = nameBound(from, -1);
  const isBefore = nameBound(to, 1);
  const set = db.find(key, 'zset');
  const all = set === undefined ? [] : inOrder(set);
  const [first, last] = [all[0], all.at(-1)];
  if (first === undefined || last === undefined || isAfter(last) < 0 || isBefore(first) > 0) return [];
  // The order is that of names only where all scores are the same; elsewhere Redis, too, gives what it comes upon.
  const start = all.findIndex((member) => isAfter(member) >= 0);
  if (isBefore(all[start] ?? '') > 0) return [];
  const some = all.slice(start + offset, start + offset + count);
  const behind = some.findIndex((member) => isBefore(member) > 0);
  return behind === -1 ? some : some.slice(0, behind);
}

/** By score, and by name among those that have the same. */
function inOrder(set: { readonly scores: Map<string, number>; order: string[] | undefined }): string[] {
  set.order ??= [...set.scores]
    .sort(([a, one], [b, other]) => one - other || (a < b ? -1 : 1))
    .map(([member]) => member);
  return set.order;
}

interface RangeOptions {
  offset: number;
  count: number;
  withScores: boolean;
}

function rangeOptions(words: readonly string[], mayHaveScores: boolean): RangeOptions {
  const options = { offset: 0, count: Number.POSITIVE_INFINITY, withScores: false };
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at]?.toUpperCase();
    if (word === 'WITHSCORES' && mayHaveScores) {
      options.withScores = true;
    } else if (word === 'LIMIT' && at + 2 < words.length) {
      const offset = integerIn(words[at + 1]);
      const count = integerIn(words[at + 2]);
      options.offset = offset < 0 ? Number.MAX_SAFE_INTEGER : offset;
      options.count = count < 0 ? Number.POSITIVE_INFINITY : count;
      at += 2;
    } else {
      throw SYNTAX;
    }
  }
  return options;
}

/** How a score compares with the bound; 0 is at it, `atIt` where the bound itself is not within. */
function scoreBound(text: string, atIt: 1 | -1): (score: number) => number {
  const equal = text.startsWith('(') ? atIt : 0;
  const number = equal === 0 ? text : text.slice(1);
  const bound = number === '' ? 0 : scoreIn(number, BAD_SCORES);
  return (score) => (score === bound ? equal : score < bound ? -1 : 1);
}

function scoreIn(text: string, refusal: Refused): number {
  const infinite = /^([+-]?)inf(?:inity)?$/i.exec(text);
  if (infinite) return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text)) throw refusal;
  return Number(text);
}

/** How a name compares with the bound; 0 is at it, `atIt` where the bound itself is not within. */
function nameBound(text: string, atIt: 1 | -1): (member: string) => number {
  if (text === '-') return () => 1;
  if (text === '+') return () => -1;
  const name = text.slice(1);
  const equal = text.startsWith('(') ? atIt : 0;
  if (equal === 0 && !text.startsWith('[')) throw BAD_NAMES;
  return (member) => (member === name ? equal : member < name ? -1 : 1);
}
