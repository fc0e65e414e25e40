import { type Fault, type Named, startAgain, stateOf } from './fault.ts';
import { stepClock } from './clock.ts';
import { setTimeout as lasts } from 'node:timers/promises';

const podKilled: Fault = async ({ world, story, random }) => {
  const pod = random.pick(world.pods);
  if (pod.state !== 'running') return;
  const mended = story.fault(`${pod.name} is killed`, 'pods', pod.name);
  story.deaths.push({ pod: pod.name, tick: story.tick() });
  await pod.kill();
  await lasts(random.int(0, 4_000));
  await startAgain(pod);
  mended(`${pod.name} runs again`);
};

const podFrozen: Fault = async ({ world, story, random }) => {
  const pod = random.pick(world.pods);
  if (pod.state !== 'running') return;
  const mended = story.fault(`${pod.name} is frozen`, 'pods', pod.name);
  pod.freeze();
  await lasts(random.int(300, 6_000));
  if (stateOf(pod) === 'frozen') pod.thaw();
  mended(`${pod.name} is thawed`);
};

/** As a node that is drained does with two of three: they send their clients away, and come up anew elsewhere. */
export const podsDrained: Fault = async ({ world, story, random }) => {
  const stays = random.pick(world.pods);
  const pods = world.pods.filter((pod) => pod !== stays && pod.state === 'running');
  await lasts(random.int(0, 2_000));
  const mended = story.fault(`${pods.map(({ name }) => name).join(' and ')} are drained`, 'nothing');
  await Promise.all(
    pods.map(async (pod) => {
      if (stateOf(pod) !== 'running') return;
      await pod.stop();
      // What it had seen it tells nobody any more.
      story.deaths.push({ pod: pod.name, tick: story.tick() });
      await startAgain(pod);
    }),
  );
  mended('they run again');
};

/** By so much a clock is set: more than a lease, more than a history lasts, and back. */
const STEPS_MS = [12_000, 400_000, -60_000] as const;

/** It stays so, or is set right again. */
const clockStepped: Fault = async ({ world, story, random }) => {
  const pod = random.pick(world.pods);
  const ms = random.pick(STEPS_MS);
  const mended = story.fault(`the clock of ${pod.name} is set by ${ms} ms`, 'nothing', pod.name);
  stepClock(pod, ms);
  await lasts(random.int(1_000, 5_000));
  if (random.chance(0.5)) return;
  stepClock(pod, 0);
  mended(`the clock of ${pod.name} is right again`);
};

export const POD_FAULTS: readonly Named[] = [
  ['pod-killed', podKilled],
  ['pod-frozen', podFrozen],
  ['pods-drained', podsDrained],
  ['clock-stepped', clockStepped],
];
