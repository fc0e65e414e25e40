import { DATA_COMMANDS } from '../data-commands.ts';
import { comparable, type Comparison } from './compare.ts';
import type { Answer, Model, ModelSide } from './sides.ts';
import type { Parsed } from './wire.ts';

/** Keys of one command whose end is compared. */
const MOST_KEYS = 40;
const NOTHING: Parsed = { kind: '', value: null };

/** A command, and what the real server said to it. */
export interface Heard {
  readonly words: readonly string[];
  readonly comparison: Comparison;
  /** Undefined: the answer was pushed. */
  readonly answer: Answer | undefined;
  /** When each of the keys ends, as PEXPIRETIME gives it. */
  readonly keys: readonly string[];
  readonly ends: readonly number[];
  /** It ran between these, in microseconds since 1970. */
  readonly from: number;
  readonly to: number;
}

/** The keys of a command whose end is to be asked for. */
export function keysOf(words: readonly string[]): readonly string[] {
  const name = (words[0] ?? '').toUpperCase();
  const keys =
    name === 'EVALSHA'
      ? words.slice(3, 3 + Number(words[2]))
      : (DATA_COMMANDS.get(name)?.keys?.(words) ?? []);
  return keys.slice(0, MOST_KEYS);
}

/**
 * Asks the model too, at the time of the real server's answer. Where the millisecond has changed around that, nobody can
 * know in which the command ran: then the model may give the same answer in any of them, and takes over when keys end.
 * Gives what is different; undefined: nothing is.
 */
export function difference(model: Model, side: ModelSide, heard: Heard): string | undefined {
  const { words, comparison, answer = { reply: NOTHING, pushes: [] }, from, to } = heard;
  const expected = comparable(answer, comparison);
  const [first, last] = [Math.floor(from / 1_000), Math.floor(to / 1_000)];
  const before = first === last ? undefined : model.server.dump();
  const pushed = model.sides.map((one) => one.pushed.length);
  let found: string | undefined;
  for (let ms = first; ms <= last; ms += 1) {
    if (ms > first && before !== undefined) {
      model.server.state.db.load(before);
      for (const [index, one] of model.sides.entries()) one.pushed.length = pushed[index] ?? 0;
    }
    model.time = Math.max(ms * 1_000, from);
    const reply = side.ask(words) ?? NOTHING;
    const pushes = comparison.withPushes ? side.pushed.slice(pushed[model.sides.indexOf(side)]) : [];
    const ours = comparable({ reply, pushes }, comparison);
    found =
      ours === expected ? differentEnd(model, heard, last - first) : `Redis: ${expected}\nmodel: ${ours}`;
    if (found === undefined) return undefined;
  }
  return `${words.join(' ')}\n${found}`;
}

function differentEnd(model: Model, { keys, ends, to }: Heard, width: number): string | undefined {
  const now = Math.floor(to / 1_000);
  const { db } = model.server.state;
  for (const [at, key] of keys.entries()) {
    const real = ends[at] ?? 0;
    db.mode = 'obeying';
    const entry = db.entry(Buffer.from(key).toString('latin1'));
    db.mode = model.server.role;
    const ours = entry === undefined ? -2 : (entry.expiresAt ?? -1);
    // A script sees one time, and counts the end of a key from the true one.
    const isClose = real >= 0 && ours >= 0 && Math.abs(real - ours) <= width;
    const isOver = real === -2 && ours >= 0 && ours < now;
    if (real !== ours && !isClose && !isOver)
      return `${key} ends in Redis: ${real}, in the model: ${ours}; now it is ${now}`;
    if (entry !== undefined && isClose) entry.expiresAt = real;
  }
  return undefined;
}
