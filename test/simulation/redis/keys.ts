import { allKeys, type Call, type DataCommand, firstKey, integerIn, momentIn } from './command.ts';
import { notModelled, OK, Refused, type Reply, Status } from './replies.ts';

/** Commands about keys of any type. */
export const KEY_COMMANDS: Readonly<Record<string, DataCommand>> = {
  DEL: { arity: -2, writes: true, keys: allKeys, run: remove },
  EXISTS: {
    arity: -2,
    keys: allKeys,
    run: ({ db }, [, ...keys]) => keys.filter((key) => db.entry(key) !== undefined).length,
  },
  TYPE: {
    arity: 2,
    keys: firstKey,
    run: ({ db }, [, key = '']) => new Status(db.entry(key)?.value.type ?? 'none'),
  },
  PTTL: { arity: 2, keys: firstKey, run: timeLeft },
  PEXPIRE: {
    arity: -3,
    writes: true,
    keys: firstKey,
    run: (call, words) => expire(call, words, call.db.now()),
  },
  PEXPIREAT: { arity: -3, writes: true, keys: firstKey, run: (call, words) => expire(call, words, 0) },
  KEYS: { arity: 2, run: keysLike },
  FLUSHALL: { arity: -1, writes: true, run: flush },
};

function remove({ db }: Call, [, ...keys]: readonly string[]): Reply {
  const removed = keys.filter((key) => db.remove(key));
  if (removed.length > 0) db.changed('DEL', ...removed);
  return removed.length;
}

function timeLeft({ db }: Call, [, key = '']: readonly string[]): Reply {
  const entry = db.entry(key);
  if (entry === undefined) return -2;
  return entry.expiresAt === undefined ? -1 : Math.max(entry.expiresAt - db.now(), 0);
}

function expire({ db }: Call, words: readonly string[], base: number): Reply {
  const [name = '', key = '', text, ...options] = words;
  const may = conditionIn(options);
  const at = momentIn(integerIn(text), base, name.toLowerCase());
  const entry = db.entry(key);
  if (entry === undefined || !may(entry.expiresAt, at)) return 0;
  if (at <= db.now() && db.mode === 'master') {
    db.expire(key);
  } else {
    entry.expiresAt = at;
    db.changed('PEXPIREAT', key, String(at));
  }
  return 1;
}

/** Whether a key that ends at `before` (undefined: never) is given the other end. */
function conditionIn(options: readonly string[]): (before: number | undefined, at: number) => boolean {
  const all = new Set<string>();
  for (const option of options) {
    if (!/^(?:NX|XX|GT|LT)$/i.test(option)) throw new Refused(`ERR Unsupported option ${option}`);
    all.add(option.toUpperCase());
  }
  if (all.has('NX') && all.size > 1)
    throw new Refused('ERR NX and XX, GT or LT options at the same time are not compatible');
  if (all.has('GT') && all.has('LT'))
    throw new Refused('ERR GT and LT options at the same time are not compatible');
  return (before, at) =>
    !(all.has('NX') && before !== undefined) &&
    !(all.has('XX') && before === undefined) &&
    !(all.has('GT') && (before === undefined || at <= before)) &&
    !(all.has('LT') && before !== undefined && at >= before);
}

function keysLike({ db }: Call, [, pattern]: readonly string[]): Reply {
  if (pattern !== '*') throw notModelled('patterns of KEYS');
  return db.keys();
}

function flush({ db }: Call): Reply {
  db.clear();
  db.changed('FLUSHALL');
  return OK;
}
