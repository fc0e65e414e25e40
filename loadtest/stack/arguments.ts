import { parseArgs } from 'node:util';

export interface Options {
  readonly pods: number;
  readonly sentinel: boolean;
}

const MOST_PODS = 20;

const USAGE = `Usage: npm run stack -- [--pods N] [--sentinel], with N from 1 to ${MOST_PODS} (2 unless told).`;

/** Reads the command line. Throws an error with one sentence of usage where it is wrong. */
export function parseOptions(args: string[]): Options {
  const { pods, sentinel } = read(args);
  const count = Number(pods);
  if (!Number.isInteger(count) || count < 1 || count > MOST_PODS) throw new Error(USAGE);
  return { pods: count, sentinel };
}

function read(args: string[]): { pods: string; sentinel: boolean } {
  const options = {
    pods: { type: 'string', default: '2' },
    sentinel: { type: 'boolean', default: false },
  } as const;
  try {
    return parseArgs({ args, options }).values;
  } catch (cause) {
    throw new Error(USAGE, { cause });
  }
}
