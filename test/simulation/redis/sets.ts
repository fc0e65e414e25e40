import { type Call, type DataCommand, firstKey, integerIn } from './command.ts';
import { Bag, Refused, type Reply, SYNTAX } from './replies.ts';
import { countIn, cursorIn, page } from './scans.ts';

/** Commands about sets. */
export const SET_COMMANDS: Readonly<Record<string, DataCommand>> = {
  SCARD: { arity: 2, keys: firstKey, run: ({ db }, [, key = '']) => db.find(key, 'set')?.members.size ?? 0 },
  SMEMBERS: {
    arity: 2,
    keys: firstKey,
    run: ({ db }, [, key = '']) => new Bag([...(db.find(key, 'set')?.members ?? [])]),
  },
  SSCAN: { arity: -3, keys: firstKey, run: scan },
  SADD: { arity: -3, writes: true, grows: true, keys: firstKey, run: add },
  SREM: { arity: -3, writes: true, keys: firstKey, run: remove },
  SPOP: { arity: -2, writes: true, keys: firstKey, run: pop },
};

function scan({ db }: Call, [, key = '', cursor, ...options]: readonly string[]): Reply {
  const from = cursorIn(cursor);
  const members = db.find(key, 'set')?.members;
  if (members === undefined) return ['0', []];
  const { next, names } = page([...members], from, countIn(options));
  return [next, names];
}

function add({ db }: Call, words: readonly string[]): Reply {
  const [, key = '', ...names] = words;
  const { members } = db.find(key, 'set') ?? db.put(key, { type: 'set', members: new Set() });
  const before = members.size;
  for (const name of names) members.add(name);
  if (members.size > before) db.changed(...words);
  return members.size - before;
}

function remove({ db }: Call, words: readonly string[]): Reply {
  const [, key = '', ...names] = words;
  const members = db.find(key, 'set')?.members;
  if (members === undefined) return 0;
  const removed = names.filter((name) => members.delete(name)).length;
  if (members.size === 0) db.remove(key);
  if (removed > 0) db.changed(...words);
  return removed;
}

/** Takes any members; replicas are told which. */
function pop({ db, random }: Call, [, key = '', text, ...more]: readonly string[]): Reply {
  if (more.length > 0) throw SYNTAX;
  const count =
    text === undefined ? 1 : integerIn(text, new Refused('ERR value is out of range, must be positive'));
  if (count < 0) throw new Refused('ERR value is out of range, must be positive');
  const members = db.find(key, 'set')?.members;
  if (members === undefined) return text === undefined ? null : new Bag([]);
  const left = [...members];
  const popped: string[] = [];
  while (popped.length < count && left.length > 0) {
    const at = count >= members.size ? 0 : Math.floor(random() * left.length);
    popped.push(...left.splice(at, 1));
  }
  for (const name of popped) members.delete(name);
  if (members.size === 0) db.remove(key);
  if (popped.length > 0) db.changed('SREM', key, ...popped);
  return text === undefined ? (popped[0] ?? null) : new Bag(popped);
}
