import { type Build, nameAt } from './build.ts';
import { ratio, spread } from './rounds.ts';
import type { CaseResult } from './table.ts';

/** One figure of a case: its values, one for each round, by server or arrangement. */
export interface Measure {
  readonly figure: string;
  readonly digits: number;
  readonly values: ReadonlyMap<string, readonly number[]>;
}

/** One figure of each of the readings. */
export function measure<Reading>(
  figure: string,
  digits: number,
  readings: ReadonlyMap<string, readonly Reading[]>,
  of: (reading: Reading) => number,
): Measure {
  return { figure, digits, values: new Map([...readings].map(([name, all]) => [name, all.map(of)])) };
}

/** Every figure that both today's build and the earlier one have, and the median ratio of the rounds. */
export function compareBuilds(results: readonly CaseResult[], build: Build): CaseResult {
  const rows = results.flatMap(({ name, measures = [] }) =>
    measures.flatMap(({ figure, digits, values }) =>
      [...values].flatMap(([label, now]) => {
        const then = values.get(nameAt(label, build));
        // A memory engine has no process: there is nothing to compare.
        if (then === undefined || then.every((value) => value === 0)) return [];
        return [[`${name}: ${label}`, figure, spread(now, digits), spread(then, digits), ratio(now, then)]];
      }),
    ),
  );
  return {
    name: 'against',
    title: `Today's build and ${build.ref}`,
    header: ['case', 'figure', 'now', build.ref, `now ÷ ${build.ref}`],
    rows,
    figures: rows,
  };
}
