import { type Call, type DataCommand, firstKey, integerIn, invalidTime, momentIn } from './command.ts';
import { OK, type Reply, SYNTAX } from './replies.ts';

const UNITS = new Set(['EX', 'PX', 'PXAT']);

/** Commands about strings. */
export const STRING_COMMANDS: Readonly<Record<string, DataCommand>> = {
  GET: { arity: 2, keys: firstKey, run: ({ db }, [, key = '']) => db.find(key, 'string')?.text ?? null },
  SET: { arity: -3, writes: true, grows: true, keys: firstKey, run: set },
};

interface SetOptions {
  readonly expiresAt: number | undefined;
  readonly if: 'NX' | 'XX' | undefined;
}

function set({ db }: Call, [, key = '', text = '', ...words]: readonly string[]): Reply {
  const options = optionsIn(words, db.now());
  const isThere = options.if !== undefined && db.entry(key) !== undefined;
  if (options.if !== undefined && isThere !== (options.if === 'XX')) return null;
  const { expiresAt } = options;
  if (expiresAt !== undefined && expiresAt <= db.now() && db.mode === 'master') {
    db.expire(key);
    return OK;
  }
  db.put(key, { type: 'string', text }, expiresAt);
  db.changed('SET', key, text, ...(expiresAt === undefined ? [] : ['PXAT', String(expiresAt)]));
  return OK;
}

function optionsIn(words: readonly string[], now: number): SetOptions {
  let time: { readonly unit: string; readonly text: string | undefined } | undefined;
  let condition: SetOptions['if'];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at]?.toUpperCase() ?? '';
    if ((word === 'NX' || word === 'XX') && (condition ?? word) === word) condition = word;
    else if (UNITS.has(word) && time === undefined && at + 1 < words.length)
      time = { unit: word, text: words[(at += 1)] };
    else throw SYNTAX;
  }
  return { expiresAt: time && endOf(time.unit, integerIn(time.text), now), if: condition };
}

function endOf(unit: string, time: number, now: number): number {
  if (time <= 0) throw invalidTime('set');
  return unit === 'PXAT' ? time : momentIn(unit === 'EX' ? time * 1_000 : time, now, 'set');
}
