import './preload.ts';
import { type Options, parseOptions, USAGE } from './arguments.ts';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { judge } from './judge/judge.ts';
import { Lua } from './redis/lua.ts';
import { ordersOf, playAll } from './crew.ts';
import type { Outcome } from './worker.ts';
import { planOf } from './plan/generate.ts';
import { play, type Played } from './play.ts';
import type { Plan } from './plan/plan.ts';
import { Report } from './report.ts';
import { shrink } from './shrink.ts';
import { storyOf } from './story.ts';
import type { Violation } from './judge/evidence.ts';

/** Seeds that a process plays before it says what came of them. */
const PART = 20;

/** Plays one seed here and tells its story, cut down if that is asked for; nothing of it may run as a microtask. */
function tell(options: Options): void {
  const lua = new Lua();
  const judged = (plan: Plan): { played: Played; violations: Violation[] } => {
    const played = play(plan, lua);
    const { kind } = options;
    return { played, violations: judge(played).filter((one) => kind === undefined || one.kind === kind) };
  };
  let plan = planOf(options.from, options);
  let { played, violations } = judged(plan);
  const [first] = violations;
  if (options.shrink && first !== undefined) {
    plan = shrink(plan, (one) => judged(one).violations.some(({ kind }) => kind === first.kind));
    ({ played, violations } = judged(plan));
  }
  console.log(storyOf(played, violations, options.logs));
  console.log(`${violations.length} violations, ${played.events} events, hash ${played.hash.toString(16)}`);
  process.exitCode = violations.length === 0 ? 0 : 1;
}

/** What an earlier run has played already. */
function resumed({ resume }: Options): Outcome[] {
  if (resume === undefined || !existsSync(resume)) return [];
  const lines = readFileSync(resume, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Outcome);
}

async function playMany(options: Options): Promise<void> {
  const { jobs, resume, kind } = options;
  const report = new Report();
  const known = new Set<string>();
  for (const outcome of resumed(options)) {
    report.add(outcome, kind);
    known.add(`${outcome.from}..${outcome.to}`);
  }
  const orders = ordersOf(options, PART).filter((order) => !known.has(`${order.from}..${order.to}`));
  const start = Date.now();
  let played = 0;
  await playAll(orders, jobs, (outcome) => {
    report.add(outcome, kind);
    played += outcome.to - outcome.from + 1;
    if (resume !== undefined) appendFileSync(resume, `${JSON.stringify(outcome)}\n`);
    if (process.stderr.isTTY) process.stderr.write(`\r${report.seeds} seeds`);
  });
  console.log(report.text((Date.now() - start) / 1_000, played));
  process.exitCode = report.clean ? 0 : 1;
}

function fail(error: unknown): void {
  process.stderr.write(
    `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n${USAGE}\n`,
  );
  process.exitCode = 2;
}

// Not from the module itself, which runs as a microtask: virtual time drains those.
setImmediate(() => {
  try {
    const options = parseOptions(process.argv.slice(2));
    if (options.story || options.shrink) tell(options);
    else playMany(options).catch(fail);
  } catch (error) {
    fail(error);
  }
});
