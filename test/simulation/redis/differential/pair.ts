import { difference, keysOf } from './judge.ts';
import type { Answer, Model, ModelSide, RealSide } from './sides.ts';
import { type Parsed, shown } from './wire.ts';

/** A real server and a model, which are asked the same by one connection each. */
export class Pair {
  readonly #real: RealSide;
  readonly #model: Model;
  readonly #side: ModelSide;

  constructor(real: RealSide, model: Model) {
    this.#real = real;
    this.#model = model;
    this.#side = model.connect();
  }

  /** Asks both all of this, the real one in one write. Raises an error that says what is different. */
  async ask(commands: readonly (readonly string[])[]): Promise<Parsed[]> {
    const all = commands.map((words) => ({ words, keys: keysOf(words) }));
    const lines = all.flatMap(({ words, keys }) => [
      words,
      ...keys.map((key) => ['PEXPIRETIME', key]),
      ['TIME'],
    ]);
    const [start, ...answers] = await this.#real.ask([['TIME'], ...lines]);
    let from = timeIn(start);
    const replies: Parsed[] = [];
    for (const { words, keys } of all) {
      const [answer, ...ends] = answers.splice(0, 1 + keys.length);
      const to = timeIn(answers.shift());
      if (answer === undefined) throw new Error('an answer is missing');
      const comparison = { command: (words[0] ?? '').toUpperCase(), isShuffled: false, withPushes: true };
      const heard = { words, comparison, answer, keys, ends: ends.map(numberIn), from, to };
      const found = difference(this.#model, this.#side, heard);
      this.#side.pushed = [];
      if (found !== undefined) throw new Error(found);
      replies.push(answer.reply);
      from = to;
    }
    return replies;
  }

  /** Subscribes both, or greets them: what comes to that is not compared. */
  async prepare(words: readonly string[], silent = 0): Promise<void> {
    await this.#real.ask([words, ['PING']], silent);
    this.#side.ask(words);
    this.#side.pushed = [];
  }
}

export function numberIn({ reply }: Answer): number {
  return Number(reply.value);
}

/** Microseconds since 1970, of an answer to TIME. */
export function timeIn(answer: Answer | undefined): number {
  const value = answer?.reply.value;
  if (!Array.isArray(value)) throw new Error(`no time: ${answer && shown(answer.reply)}`);
  const [seconds, micros] = value as Parsed[];
  return Number(seconds?.value) * 1e6 + Number(micros?.value);
}
