import { parseArgs } from 'node:util';
import { BY_DEFAULT, CONTENDER_NAMES } from './contenders.ts';
import type { ContenderName } from './contenders.ts';

export interface Options {
  /** Cases by name; empty: those that need not be asked for. */
  readonly cases: readonly string[];
  readonly contenders: readonly ContenderName[];
  readonly rounds: number;
  /** How long one contender is measured in one round. */
  readonly seconds: number;
  /** Of the case `drain`; the others have their own. */
  readonly connections: number;
  readonly json: string | undefined;
}

export const USAGE = `npm run bench -- [case …] [--rounds N] [--seconds N] [--connections N] [--contenders a,b] [--json FILE]`;

/** Reads the command line; throws an error that says what is wrong with it. */
export function parseOptions(args: string[]): Options {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '3' },
      connections: { type: 'string', default: '10000' },
      contenders: { type: 'string', default: BY_DEFAULT.join(',') },
      json: { type: 'string' },
    },
  });
  return {
    cases: positionals,
    contenders: values.contenders.split(',').map(contender),
    rounds: positive('--rounds', values.rounds),
    seconds: positive('--seconds', values.seconds),
    connections: positive('--connections', values.connections),
    json: values.json,
  };
}

function contender(name: string): ContenderName {
  const found = CONTENDER_NAMES.find((known) => known === name);
  if (found === undefined) throw new Error(`--contenders: ${name} is none of ${CONTENDER_NAMES.join(', ')}`);
  return found;
}

function positive(name: string, value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1)
    throw new Error(`${name}: ${value} is not a whole number above 0`);
  return number;
}
