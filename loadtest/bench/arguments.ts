import { parseArgs } from 'node:util';
import { type Build, buildOf } from './build.ts';
import { FIRST_RELEASE } from '../../test/releases/earlier-release.ts';
import { BY_DEFAULT, CONTENDER_NAMES } from './contenders.ts';
import type { ContenderName } from './contenders.ts';
import { TARGET_CONTENDERS } from './targets.ts';

export interface Options {
  /** Cases by name; empty: the default ones. */
  readonly cases: readonly string[];
  readonly contenders: readonly ContenderName[];
  readonly rounds: number;
  /** How long one contender is measured in one round. */
  readonly seconds: number;
  /** How long a contender runs under load before the first round. */
  readonly warmUpMs: number;
  /** Connections of the case `drain`. */
  readonly connections: number;
  /** An earlier build of Crosspod that is measured beside today's. */
  readonly against: Build | undefined;
  /** Whether the run must end within a minute. */
  readonly quick: boolean;
  readonly json: string | undefined;
}

export const USAGE =
  'npm run bench -- [case …] [--against REF] [--quick] [--rounds N] [--seconds N] [--connections N] [--contenders a,b] [--json FILE]';

/** A server runs for days: by default it is measured after most of its code has been compiled. */
const WARM_UP_MS = { quick: 1_500, normal: 10_000 } as const;

/** Reads the command line; throws an error that says what is wrong with it. */
export function parseOptions(args: string[]): Options {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      connections: { type: 'string', default: '10000' },
      contenders: { type: 'string' },
      against: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
    },
  });
  const { quick } = values;
  const isAboutTargets = positionals.includes('targets');
  const against = values.against ?? (isAboutTargets ? FIRST_RELEASE : undefined);
  const byDefault = isAboutTargets ? TARGET_CONTENDERS : quick ? ['crosspod'] : BY_DEFAULT;
  const contenders = values.contenders ?? byDefault.join(',');
  return {
    cases: positionals,
    contenders: contenders.split(',').map(contender),
    rounds: positive('--rounds', values.rounds ?? (quick ? '3' : '5')),
    seconds: positive('--seconds', values.seconds ?? (quick ? '1' : '3')),
    warmUpMs: quick ? WARM_UP_MS.quick : WARM_UP_MS.normal,
    connections: positive('--connections', values.connections),
    against: against === undefined ? undefined : buildOf(against),
    quick,
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
