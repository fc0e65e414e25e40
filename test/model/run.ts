import { type Evidence, type Violation } from './evidence.ts';
import { judgeAcks, judgeHistory } from './judge-history.ts';
import { judgeDropped, judgeGaps, judgeOwed } from './judge-gaps.ts';
import { becomesQuiet, historyOf } from './quiet.ts';
import { play, type Scene } from './play.ts';
import { castOf, ROOMS } from './cast.ts';
import { judgeOrder } from './judge-order.ts';
import { judgePresence } from './judge-presence.ts';
import { judgeRepeats } from './judge-repeats.ts';
import { Random } from '../hostile/random.ts';
import { reportOf } from './report.ts';
import { startWorld, type Variant } from './world.ts';
import { Story } from './story.ts';

/** Plays one seed and judges it: undefined, or a report of what was violated. */
export async function runModel(variant: Variant, seed: number, steps: number): Promise<string | undefined> {
  const random = Random.of(seed, 0);
  const world = await startWorld(variant, random);
  const story = new Story();
  const actors = castOf(world, story, seed);
  const scene: Scene = { world, story, actors, random };
  try {
    for (const actor of actors) actor.connect();
    await play(scene, steps);
    const unsettled = await becomesQuiet(scene);
    const differences = await judgePresence(scene);
    const evidence = await evidenceOf(scene);
    const violations: Violation[] = [
      ...[...unsettled, ...differences].map((text) => ({ text, tokens: [] })),
      ...[judgeOrder, judgeRepeats, judgeGaps, judgeDropped, judgeOwed, judgeHistory, judgeAcks].flatMap(
        (judge) => judge(evidence),
      ),
    ];
    return violations.length === 0 ? undefined : reportOf({ variant, seed, steps }, scene, violations);
  } finally {
    for (const actor of actors) actor.stop();
    await world.stop();
  }
}

async function evidenceOf(scene: Scene): Promise<Evidence> {
  const histories = await Promise.all(
    ROOMS.map(async (room) => [room, await historyOf(scene, room)] as const),
  );
  const { story, world } = scene;
  const historySize = Number(world.chosen['HISTORY_SIZE']);
  return {
    story,
    histories: new Map(histories),
    historySize,
    failsOver: world.group !== undefined || world.cluster !== undefined,
  };
}
