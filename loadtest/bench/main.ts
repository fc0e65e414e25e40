import { writeFileSync } from 'node:fs';
import { USAGE, parseOptions } from './arguments.ts';
import type { Options } from './arguments.ts';
import { acked } from './cases/acked.ts';
import type { Case } from './cases/case.ts';
import { connect } from './cases/connect.ts';
import { drain } from './cases/drain.ts';
import { engines } from './cases/engines.ts';
import { burst, manyRooms, mixed, sparse } from './cases/fan-out.ts';
import { memory } from './cases/memory.ts';
import { multiBystander } from './cases/multi/bystander.ts';
import { multiCatchUp } from './cases/multi/catch-up.ts';
import { multiCommands } from './cases/multi/commands.ts';
import { multiFailover } from './cases/multi/failover.ts';
import { multiFanOut } from './cases/multi/fan-out.ts';
import { multiMemory } from './cases/multi/memory.ts';
import { multiProfile, profile } from './cases/profile.ts';
import { ready } from './cases/ready.ts';
import { resume } from './cases/resume.ts';
import { tenThousand } from './cases/ten-thousand.ts';
import { leaveNobodyBehind } from './children.ts';
import { describeMachine, renderMachine } from './machine.ts';
import { compareBuilds } from './measure.ts';
import { type CaseResult, renderTable } from './table.ts';
import { tableOfTargets, TARGET_CASES } from './targets.ts';

const BY_DEFAULT = new Map<string, Case>([
  ['sparse', sparse],
  ['burst', burst],
  ['many-rooms', manyRooms],
  ['mixed', mixed],
  ['connect', connect],
  ['resume', resume],
  ['rss', memory],
  ['ready', ready],
  ['ten-thousand', tenThousand],
]);
/** All of them are the case `multi`. */
const MULTI = new Map<string, Case>([
  ['multi-fan-out', multiFanOut],
  ['multi-bystander', multiBystander],
  ['multi-commands', multiCommands],
  ['multi-catch-up', multiCatchUp],
  ['multi-failover', multiFailover],
  ['multi-memory', multiMemory],
]);
const CASES = new Map<string, Case>([
  ...BY_DEFAULT,
  ...MULTI,
  ['profile', profile],
  ['multi-profile', multiProfile],
  ['acked', acked],
  ['drain', drain],
  ['engines', engines],
]);
/** Within a minute. */
const QUICK = ['many-rooms', 'connect', 'resume', 'acked'];
const NAMES = [
  ...BY_DEFAULT.keys(),
  'multi',
  ...MULTI.keys(),
  'acked',
  'profile',
  'multi-profile',
  'drain',
  'engines',
  'targets',
];

/** The cases that were asked for. */
function asked({ cases, quick }: Options): string[] {
  if (cases.length === 0) return quick ? QUICK : [...BY_DEFAULT.keys()];
  const groups: Readonly<Record<string, readonly string[]>> = {
    multi: [...MULTI.keys()],
    targets: TARGET_CASES,
  };
  return [...new Set(cases.flatMap((name) => groups[name] ?? [name]))];
}

async function main(options: Options): Promise<void> {
  const machine = describeMachine();
  console.log(renderMachine(machine));
  console.log(`median (lowest–highest) of ${options.rounds} rounds of ${options.seconds} s, interleaved\n`);
  const results: CaseResult[] = [];
  for (const name of asked(options)) {
    for (const result of (await CASES.get(name)?.(options)) ?? []) {
      results.push(result);
      console.log(renderTable(result));
    }
  }
  if (options.against !== undefined) console.log(renderTable(compareBuilds(results, options.against)));
  if (options.cases.includes('targets')) console.log(renderTable(tableOfTargets(results, options)));
  if (options.json !== undefined) {
    const figures = Object.fromEntries(results.map(({ name, figures }) => [name, figures]));
    writeFileSync(options.json, `${JSON.stringify({ machine, options, figures }, undefined, 2)}\n`);
  }
}

leaveNobodyBehind();
try {
  const options = parseOptions(process.argv.slice(2));
  const unknown = options.cases.find((name) => !NAMES.includes(name));
  if (unknown !== undefined) throw new Error(`${unknown} is none of ${NAMES.join(', ')}\n${USAGE}`);
  await main(options);
  process.exit(0);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
