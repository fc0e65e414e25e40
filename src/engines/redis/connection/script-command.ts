import { Command } from 'ioredis';
import type { ScriptText } from './script.ts';

/** Parts of a command in the form in which Redis reads them: how many arguments, and their text. */
export interface Encoded {
  readonly count: number;
  readonly text: string;
}

/** Encodes arguments (https://redis.io/docs/latest/develop/reference/protocol-spec/#bulk-strings). */
export function encoded(args: readonly (string | number)[]): Encoded {
  let text = '';
  for (const arg of args) text += bulk(typeof arg === 'string' ? arg : String(arg));
  return { count: args.length, text };
}

/** Encodes arguments one by one. */
export class EncodedArguments implements Encoded {
  count = 0;
  text = '';

  add(arg: string): void {
    this.count += 1;
    this.text += bulk(arg);
  }

  join({ count, text }: Encoded): void {
    this.count += count;
    this.text += text;
  }
}

function bulk(arg: string): string {
  return `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`;
}

/**
 * EVALSHA as one text. The command of ioredis makes a dozen strings and arrays of each argument, which was most
 * garbage.
 */
export class ScriptCommand extends Command {
  readonly #text: string;

  /** `args`: the keys and the arguments. */
  constructor({ sha }: ScriptText, keys: number, { count, text }: Encoded) {
    super('evalsha', [], { replyEncoding: 'utf8' });
    this.#text = `*${count + 3}\r\n$7\r\nevalsha\r\n$40\r\n${sha}\r\n${bulk(String(keys))}${text}`;
  }

  override toWritable(): string {
    return this.#text;
  }
}
