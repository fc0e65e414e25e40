import { parseArgs } from 'node:util';
import type { PlacementName } from './plan/plan.ts';

const PLACEMENTS: readonly PlacementName[] = ['one', 'sentinel', 'cluster'];

export interface Options {
  readonly from: number;
  readonly to: number;
  /** Undefined: the seed says. */
  readonly placement: PlacementName | undefined;
  /** Processes that play at the same time. */
  readonly jobs: number;
  /** What was played already, and what it came to, is kept here. */
  readonly resume: string | undefined;
  /** Tells what happens in the first seed. */
  readonly story: boolean;
  /** Cuts the first seed down as far as it shows the same kind of violation. */
  readonly shrink: boolean;
  /** Kinds of faults that are left out. */
  readonly without: readonly string[];
  /** Violations of this kind alone count. */
  readonly kind: string | undefined;
  /** With the logs of the pods. */
  readonly logs: boolean;
}

export const USAGE =
  'npm run simulate -- --seeds 1..200 [--placement one|sentinel|cluster] [--jobs N] [--resume FILE] [--without FAULT,…] [--kind KIND] [--story] [--shrink] [--logs]';

/** Reads the command line; throws an error that says what is wrong with it. */
export function parseOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      seeds: { type: 'string', default: '1..100' },
      placement: { type: 'string' },
      jobs: { type: 'string', default: '2' },
      resume: { type: 'string' },
      kind: { type: 'string' },
      without: { type: 'string', default: '' },
      story: { type: 'boolean', default: false },
      shrink: { type: 'boolean', default: false },
      logs: { type: 'boolean', default: false },
    },
  });
  const { resume, story, shrink, kind, logs } = values;
  const [, from = '', to = from] = /^(\d+)(?:\.\.(\d+))?$/.exec(values.seeds) ?? [];
  if (from === '' || Number(to) < Number(from))
    throw new Error(`--seeds: ${values.seeds} is neither a number nor two as in 1..200`);
  const jobs = Number(values.jobs);
  if (!Number.isInteger(jobs) || jobs < 1)
    throw new Error(`--jobs: ${values.jobs} is not a whole number above 0`);
  const placement = PLACEMENTS.find((one) => one === values.placement);
  if (values.placement !== undefined && placement === undefined) {
    throw new Error(`--placement: ${values.placement} is none of ${PLACEMENTS.join(', ')}`);
  }
  return {
    from: Number(from),
    to: Number(to),
    placement,
    without: values.without.split(','),
    jobs,
    resume,
    story,
    shrink,
    kind,
    logs,
  };
}
