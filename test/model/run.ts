import type { Evidence, Violation } from './evidence.ts';
import { judgeDropped, judgeGaps } from './judge-gaps.ts';
import { becomesQuiet, historyOf, staysQuiet } from './quiet.ts';
import { play, type Scene } from './play.ts';
import { castOf, ROOMS } from './cast.ts';
import { judgeAnswers } from './judge-answers.ts';
import { judgeHistory } from './judge-history.ts';
import { judgeLeaves } from './judge-leaves.ts';
import { judgeOrder } from './judge-order.ts';
import { judgePaging } from './judge-paging.ts';
import { judgePresence } from './judge-presence.ts';
import { judgeRepeats } from './judge-repeats.ts';
import { judgeTurns } from './judge-turns.ts';
import { Random } from '../hostile/random.ts';
import { reportOf } from './report.ts';
import { startWorld, type Variant } from './world.ts';
import { Story } from './story.ts';

/** By what a client was told, and by what is kept. */
const JUDGES = [
  judgeOrder,
  judgeTurns,
  judgeRepeats,
  judgeGaps,
  judgeDropped,
  judgeHistory,
  judgeAnswers,
  judgeLeaves,
] as const;

export interface Verdict {
  readonly violations: readonly Violation[];
  /** For a person; undefined where nothing was violated. */
  readonly report: string | undefined;
}

/** Plays one seed and judges it. */
export async function runModel(variant: Variant, seed: number, steps: number): Promise<Verdict> {
  const random = Random.of(seed, 0);
  const world = await startWorld(variant, random);
  const story = new Story();
  const actors = castOf(world, story, seed);
  const scene: Scene = { world, story, actors, random, seed };
  try {
    for (const actor of actors) actor.connect();
    await play(scene, steps);
    // A pod that does not answer any more is something to report as well.
    const violations = await judge(scene).catch((error: unknown): Violation[] => [
      { kind: 'unsettled', text: String(error), tokens: [] },
    ]);
    const report =
      violations.length === 0 ? undefined : reportOf({ variant, seed, steps }, scene, violations);
    return { violations, report };
  } finally {
    for (const actor of actors) actor.stop();
    await world.stop();
  }
}

async function judge(scene: Scene): Promise<Violation[]> {
  const unsettled = await becomesQuiet(scene);
  const differences = await judgePresence(scene);
  const unrest = await staysQuiet(scene);
  const evidence = await evidenceOf(scene);
  return [
    ...unsettled.map((text): Violation => ({ kind: 'unsettled', text, tokens: [] })),
    ...differences.map((text): Violation => ({ kind: 'presence', text, tokens: [] })),
    ...unrest,
    ...(await judgePaging(scene, evidence)),
    ...JUDGES.flatMap((one) => one(evidence)),
  ];
}

async function evidenceOf(scene: Scene): Promise<Evidence> {
  const histories = await Promise.all(
    ROOMS.map(async (room) => [room, await historyOf(scene, room)] as const),
  );
  const { story, world } = scene;
  return {
    story,
    histories: new Map(histories),
    historySize: Number(world.chosen['HISTORY_SIZE']),
    isCluster: world.cluster !== undefined,
  };
}
