import { writeFileSync } from 'node:fs';
import { USAGE, parseOptions } from './arguments.ts';
import type { Options } from './arguments.ts';
import type { Case } from './cases/case.ts';
import { burst, sparse } from './cases/fan-out.ts';
import { memory } from './cases/memory.ts';
import { profile } from './cases/profile.ts';
import { ready } from './cases/ready.ts';
import { tenThousand } from './cases/ten-thousand.ts';
import { leaveNobodyBehind } from './children.ts';
import { describeMachine, renderMachine } from './machine.ts';
import { renderTable } from './table.ts';

const CASES = new Map<string, Case>([
  ['sparse', sparse],
  ['burst', burst],
  ['rss', memory],
  ['ready', ready],
  ['ten-thousand', tenThousand],
  ['profile', profile],
]);
const BY_DEFAULT = [...CASES.keys()].filter((name) => name !== 'profile');

async function main(options: Options): Promise<void> {
  const machine = describeMachine();
  console.log(renderMachine(machine));
  console.log(`median (lowest–highest) of ${options.rounds} rounds of ${options.seconds} s, interleaved\n`);
  const results = [];
  for (const name of options.cases.length > 0 ? options.cases : BY_DEFAULT) {
    for (const result of (await CASES.get(name)?.(options)) ?? []) {
      results.push(result);
      console.log(renderTable(result));
    }
  }
  if (options.json !== undefined) {
    const figures = Object.fromEntries(results.map(({ name, figures }) => [name, figures]));
    writeFileSync(options.json, `${JSON.stringify({ machine, options, figures }, undefined, 2)}\n`);
  }
}

leaveNobodyBehind();
try {
  const options = parseOptions(process.argv.slice(2));
  const unknown = options.cases.find((name) => !CASES.has(name));
  if (unknown !== undefined)
    throw new Error(`${unknown} is none of ${[...CASES.keys()].join(', ')}\n${USAGE}`);
  await main(options);
  process.exit(0);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
