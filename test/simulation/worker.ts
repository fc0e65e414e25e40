import './preload.ts';
import { judge } from './judge/judge.ts';
import { Lua } from './redis/lua.ts';
import { planOf } from './plan/generate.ts';
import { play } from './play.ts';
import type { PlacementName } from './plan/plan.ts';
import { playScenario } from './scenario.ts';
import { SCENARIOS } from './scenarios/all.ts';
import { storyOf } from './story.ts';

/** Some seeds that are to be played. */
export interface Order {
  readonly from: number;
  readonly to: number;
  readonly placement: PlacementName | undefined;
  /** Kinds of faults that are left out. */
  readonly without: readonly string[];
}

/** A scenario that is to be played. */
export interface ScenarioOrder {
  readonly scenario: string;
}

/** What came of it. */
export interface Outcome extends Order {
  readonly seconds: number;
  readonly events: number;
  /** By seed; those without a violation are left out. */
  readonly violations: readonly { readonly seed: number; readonly kind: string; readonly text: string }[];
  /** Of the whole trace of each seed. */
  readonly hashes: readonly number[];
  readonly placements: Readonly<Record<string, number>>;
}

const lua = new Lua();

/** Plays as it is told by the process that made this one, one order after the other. */
process.on('message', (order: Order | ScenarioOrder) => {
  process.send?.('scenario' in order ? tell(order) : playSeeds(order));
});

function tell({ scenario: name }: ScenarioOrder): string {
  const scenario = SCENARIOS.find((one) => one.name === name);
  if (scenario === undefined) return `there is no scenario called ${name}`;
  const played = playScenario(scenario, lua);
  const violations = judge(played);
  if (played.failure !== undefined) violations.push({ kind: 'step', text: played.failure });
  return violations.length === 0 ? '' : storyOf(played, violations);
}

function playSeeds(order: Order): Outcome {
  const start = process.hrtime.bigint();
  const violations: { seed: number; kind: string; text: string }[] = [];
  const hashes: number[] = [];
  const placements: Record<string, number> = {};
  let events = 0;
  for (let seed = order.from; seed <= order.to; seed += 1) {
    const plan = planOf(seed, order);
    const played = play(plan, lua);
    for (const { kind, text } of judge(played)) violations.push({ seed, kind, text });
    hashes.push(played.hash);
    placements[plan.placement] = (placements[plan.placement] ?? 0) + 1;
    events += played.events;
  }
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  return { ...order, seconds, events, violations, hashes, placements };
}
