import { expect, onTestFinished, test } from 'vitest';
import type { PodProcess } from '../support/stack/pods.ts';
import { type Proxy, startProxy } from '../support/proxy.ts';
import { allAcked, allHeard, expectNoRepeat, saidBy } from './judge.ts';
import { degraded, eventually, podOn, podsOn, presenceIs, ready, redisOf, SLOW } from './world.ts';
import { Witness } from './witness.ts';

/** Long enough for a pod that is alone to be found by Redis meanwhile, also on a loaded machine. */
const GRACE = { PRESENCE_GRACE_SECONDS: '10' };

interface Family {
  /** Have Redis all the time. */
  readonly siblings: readonly [PodProcess, PodProcess];
  /** Serves without having reached it yet. */
  readonly alone: PodProcess;
  readonly way: Proxy;
}

async function family(): Promise<Family> {
  const redis = await redisOf();
  const way = await startProxy(redis.port);
  onTestFinished(() => way.stop());
  way.silence();
  const siblings = await podsOn(redis, GRACE);
  const env = { REDIS_URL: `redis://127.0.0.1:${way.port}`, START_WAIT_SECONDS: '1' };
  const alone = await podOn({ env }, GRACE);
  await degraded(alone);
  return { siblings, alone, way };
}

/** Says several in one go, again and again, until it is told to stop. */
function chatter(speakers: ReadonlySet<Witness>): { stop: () => void } {
  const timer = setInterval(() => {
    for (const one of speakers) for (let n = 0; n < 3; n += 1) one.say();
  }, 20);
  const stop = (): void => clearInterval(timer);
  onTestFinished(stop);
  return { stop };
}

/** With everything that it has said acknowledged; away for a moment only. */
async function move(one: Witness, to: PodProcess): Promise<void> {
  await eventually('all acks', () => one.answers().size >= one.said);
  await one.leave();
  await one.return(to);
}

async function moreFrom(speaker: Witness, listener: Witness): Promise<void> {
  const goal = speaker.said + 60;
  await eventually(`more from ${speaker.user}`, () =>
    listener.heard().some(({ by, n }) => by === speaker.user && n >= goal),
  );
}

/** Users whose going was announced to it. */
function announcedAsGone({ frames }: Witness): unknown[] {
  return frames
    .filter(({ type, data }) => type === 'presence' && (data as { status?: string }).status === 'offline')
    .map(({ from }) => from);
}

test(
  'what is said on a pod that was born alone keeps its order there, and everybody has all of it once, when Redis comes',
  SLOW,
  async () => {
    const { siblings, alone, way } = await family();
    const here = [await Witness.join(alone, 'room', 'alice'), await Witness.join(alone, 'room', 'bob')];
    const [alice, bob] = here as [Witness, Witness];
    // Without a ref nothing but the pod itself keeps it from being published twice.
    bob.wantsAcks = false;
    const carol = await Witness.join(siblings[0], 'room', 'carol');
    const quiet = await Witness.join(siblings[1], 'room', 'quiet');
    const talk = chatter(new Set([alice, bob, carol]));
    await moreFrom(alice, bob);
    const late = await Witness.join(alone, 'room', 'late');
    await moreFrom(bob, late);
    way.resume();
    await ready(alone);
    await moreFrom(alice, quiet);
    await moreFrom(carol, bob);
    talk.stop();
    await allHeard([alice, bob, carol, quiet], saidBy([alice, bob, carol]));
    await allAcked([alice, carol]);
    expectNoRepeat([alice, bob, carol, quiet, late]);
    for (const one of [alice, bob, late]) expect(one.losses()).toEqual(['unavailable']);
    for (const one of [carol, quiet]) expect(one.losses()).toEqual([]);
  },
);

test('who moves to it is not announced as gone, if Redis comes within the grace', SLOW, async () => {
  const { siblings, alone, way } = await family();
  const [mover, stayer, watcher] = [
    await Witness.join(siblings[0], 'room', 'mover'),
    await Witness.join(siblings[0], 'room', 'stayer'),
    await Witness.join(siblings[1], 'room', 'watcher'),
  ];
  mover.say();
  await move(mover, alone);
  mover.say();
  way.resume();
  await ready(alone);
  stayer.say();
  await allHeard([mover, stayer, watcher], saidBy([mover, stayer]));
  // By then the grace is over, and who was on a pod that does not know them is gone.
  const gone = await Witness.join(siblings[0], 'room', 'gone');
  await gone.leave();
  await eventually('the end of a grace', () => announcedAsGone(watcher).includes('gone'));
  expect(announcedAsGone(watcher)).toEqual(['gone']);
  await presenceIs([...siblings, alone], 'room', ['mover', 'stayer', 'watcher']);
  expectNoRepeat([mover, stayer, watcher]);
});
