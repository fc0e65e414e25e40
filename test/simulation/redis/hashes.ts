import { type Call, type DataCommand, firstKey, integerIn, wrongArity } from './command.ts';
import { Pairs, Refused, type Reply } from './replies.ts';
import { countIn, cursorIn, page } from './scans.ts';

/** Commands about hashes. */
export const HASH_COMMANDS: Readonly<Record<string, DataCommand>> = {
  HGET: {
    arity: 3,
    keys: firstKey,
    run: (call, [, key = '', field = '']) => fieldsOf(call, key)?.get(field) ?? null,
  },
  HMGET: { arity: -3, keys: firstKey, run: getSome },
  HGETALL: {
    arity: 2,
    keys: firstKey,
    run: (call, [, key = '']) => new Pairs([...(fieldsOf(call, key) ?? [])].flat()),
  },
  HLEN: { arity: 2, keys: firstKey, run: (call, [, key = '']) => fieldsOf(call, key)?.size ?? 0 },
  HEXISTS: {
    arity: 3,
    keys: firstKey,
    run: (call, [, key = '', field = '']) => Number(fieldsOf(call, key)?.has(field) ?? false),
  },
  HSCAN: { arity: -3, keys: firstKey, run: scan },
  HSET: { arity: -4, writes: true, grows: true, keys: firstKey, run: set },
  HSETNX: { arity: 4, writes: true, grows: true, keys: firstKey, run: setNew },
  HDEL: { arity: -3, writes: true, keys: firstKey, run: remove },
  HINCRBY: { arity: 4, writes: true, grows: true, keys: firstKey, run: add },
};

function fieldsOf({ db }: Call, key: string): Map<string, string> | undefined {
  return db.find(key, 'hash')?.fields;
}

function fieldsToWrite(call: Call, key: string): Map<string, string> {
  return fieldsOf(call, key) ?? call.db.put(key, { type: 'hash', fields: new Map() }).fields;
}

function getSome(call: Call, [, key = '', ...names]: readonly string[]): Reply {
  const fields = fieldsOf(call, key);
  return names.map((name) => fields?.get(name) ?? null);
}

function scan(call: Call, [, key = '', cursor, ...options]: readonly string[]): Reply {
  const from = cursorIn(cursor);
  const fields = fieldsOf(call, key);
  if (fields === undefined) return ['0', []];
  const { next, names } = page([...fields.keys()], from, countIn(options));
  return [next, names.flatMap((name) => [name, fields.get(name) ?? ''])];
}

function set(call: Call, words: readonly string[]): Reply {
  if (words.length % 2 === 1) throw wrongArity(words[0] ?? '');
  const fields = fieldsToWrite(call, words[1] ?? '');
  const before = fields.size;
  for (let at = 2; at < words.length; at += 2) fields.set(words[at] ?? '', words[at + 1] ?? '');
  call.db.changed(...words);
  return fields.size - before;
}

function setNew(call: Call, [, key = '', field = '', value = '']: readonly string[]): Reply {
  if (fieldsOf(call, key)?.has(field) === true) return 0;
  fieldsToWrite(call, key).set(field, value);
  call.db.changed('HSET', key, field, value);
  return 1;
}

function remove(call: Call, words: readonly string[]): Reply {
  const [, key = '', ...names] = words;
  const fields = fieldsOf(call, key);
  if (fields === undefined) return 0;
  const removed = names.filter((name) => fields.delete(name)).length;
  if (fields.size === 0) call.db.remove(key);
  if (removed > 0) call.db.changed(...words);
  return removed;
}

const NOT_A_NUMBER = new Refused('ERR hash value is not an integer');

function add(call: Call, words: readonly string[]): Reply {
  const [, key = '', field = '', text] = words;
  integerIn(text);
  const before = fieldsOf(call, key)?.get(field) ?? '0';
  integerIn(before, NOT_A_NUMBER);
  // Numbers of 64 bits, which are exact only so.
  const sum = BigInt(before) + BigInt(text ?? '');
  if (BigInt.asIntN(64, sum) !== sum) throw new Refused('ERR increment or decrement would overflow');
  fieldsToWrite(call, key).set(field, String(sum));
  call.db.changed(...words);
  return sum;
}
