import type { Channels } from './channels.ts';
import type { Keyspace } from './keyspace.ts';
import { NOT_INTEGER, Refused, type Reply } from './replies.ts';

/** What a command about data works on. */
export interface Call {
  readonly db: Keyspace;
  readonly channels: Channels;
  readonly random: () => number;
  /** Microseconds since 1970. */
  readonly time: () => number;
}

/** What Redis knows of every command (https://redis.io/docs/latest/develop/reference/command-arguments/). */
export interface Traits {
  /** How many words it has, its name included; negative: at least so many. */
  readonly arity: number;
  /** It changes data. */
  readonly writes?: boolean;
  /** It is refused where memory is used up. */
  readonly grows?: boolean;
  /** No script may call it. */
  readonly notInScripts?: boolean;
  /** It is answered while the server loads its data, or has lost its master. */
  readonly always?: boolean;
  readonly keys?: (words: readonly string[]) => readonly string[];
  /** Channels that it names, and whether these belong to slots. */
  readonly channels?: (words: readonly string[]) => readonly string[];
  readonly sharded?: boolean;
}

/** A command about data, which scripts call too. Raises Refused. */
export interface DataCommand extends Traits {
  readonly run: (call: Call, words: readonly string[]) => Reply;
}

export const firstKey = (words: readonly string[]): readonly string[] => words.slice(1, 2);
export const allKeys = (words: readonly string[]): readonly string[] => words.slice(1);

export function wrongArity(name: string): Refused {
  return new Refused(`ERR wrong number of arguments for '${name.toLowerCase()}' command`);
}

export function fitsArity({ arity }: Traits, words: readonly string[]): boolean {
  return arity < 0 ? words.length >= -arity : words.length === arity;
}

/** A whole number of 64 bits as Redis reads one; raises `refusal` for anything else. */
export function integerIn(text: string | undefined, refusal = NOT_INTEGER): number {
  if (text === undefined || !/^(?:0|-?[1-9]\d{0,18})$/.test(text)) throw refusal;
  const value = Number(text);
  if (!Number.isSafeInteger(value) && BigInt.asIntN(64, BigInt(text)) !== BigInt(text)) throw refusal;
  return value;
}

export function invalidTime(command: string): Refused {
  return new Refused(`ERR invalid expire time in '${command}' command`);
}

/** So many milliseconds after another moment; raises Refused where a number of 64 bits does not hold it. */
export function momentIn(ms: number, after: number, command: string): number {
  if (Math.abs(ms + after) >= 2 ** 63) throw invalidTime(command);
  return ms + after;
}
