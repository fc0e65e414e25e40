import { parseArgs } from 'node:util';

export interface Options {
  readonly pods: number;
  readonly engine: EngineName;
}

/** What is between the pods: one Redis, or one of these. */
export type EngineName = 'redis' | (typeof OTHERS)[number];
const OTHERS = ['sentinel', 'cluster', 'nats'] as const;

const MOST_PODS = 20;

const USAGE = `Usage: npm run stack -- [--pods N] [--sentinel | --cluster | --nats], with N from 1 to ${MOST_PODS} (2 unless told).`;

/** Reads the command line. Throws an error with one sentence of usage where it is wrong. */
export function parseOptions(args: string[]): Options {
  const { pods, ...asked } = read(args);
  const count = Number(pods);
  const engines = OTHERS.filter((name) => asked[name]);
  if (!Number.isInteger(count) || count < 1 || count > MOST_PODS || engines.length > 1)
    throw new Error(USAGE);
  return { pods: count, engine: engines[0] ?? 'redis' };
}

function read(args: string[]): { pods: string } & Record<(typeof OTHERS)[number], boolean> {
  const flag = { type: 'boolean', default: false } as const;
  const options = {
    pods: { type: 'string', default: '2' },
    sentinel: flag,
    cluster: flag,
    nats: flag,
  } as const;
  try {
    return parseArgs({ args, options }).values;
  } catch (cause) {
    throw new Error(USAGE, { cause });
  }
}
