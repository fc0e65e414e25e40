import { type Fault, type Named, startAgain } from './fault.ts';
import type { Concerns } from '../support/proxy-weather.ts';
import { setTimeout as lasts } from 'node:timers/promises';

/** A pod that is cut off for so long is dead for the others, and comes back. */
const LONG_MS = 9_000;

/** The connection by which a pod hears what the others publish, and the one by which it asks. */
const subscriptions: Concerns = (greeting) => greeting.includes('crosspod-subscriber:');
const commands: Concerns = (greeting) => !subscriptions(greeting);

interface Cut {
  readonly what: string;
  /** Undefined: both. */
  readonly direction?: 'to-server' | 'to-client';
  readonly concerns?: Concerns;
  /** Most that it is late; undefined: it does not come at all. */
  readonly delayMs?: number;
}

/** One pod alone is cut off from Redis or NATS, or hears late from it. */
function cut({ what, direction, concerns, delayMs }: Cut): Fault {
  return async ({ world, story, random }) => {
    const index = random.int(0, world.proxies.length - 1);
    const [pod, proxy] = [`pod-${index + 1}`, world.proxies[index]];
    const ms = delayMs === undefined ? undefined : random.int(1_000, delayMs);
    const how = ms === undefined ? 'do not pass' : `are ${ms} ms late`;
    const mended = story.fault(`${what} of ${pod} ${how}`, 'pods', pod);
    if (ms === undefined) proxy?.silence(direction, concerns);
    else
      for (const one of ['to-server', 'to-client'] as const) {
        if (direction === undefined || direction === one) proxy?.delay(one, ms, concerns);
      }
    await lasts(random.int(300, LONG_MS));
    proxy?.resume();
    mended(`${what} of ${pod} pass again`);
  };
}

const broken: Fault = ({ world, story, random }) => {
  const index = random.int(0, world.proxies.length - 1);
  story.fault(
    `the connections of pod-${index + 1} break`,
    'pods',
    `pod-${index + 1}`,
  )('they may be made again');
  world.proxies[index]?.breakAll();
  return Promise.resolve();
};

/** Its address does not answer when a pod is started. */
const bornWithout: Fault = async ({ world, story, random }) => {
  const index = random.int(0, world.proxies.length - 1);
  const [pod, proxy] = [world.pods[index], world.proxies[index]];
  if (pod?.state !== 'running') return;
  const mended = story.fault(`${pod.name} is killed, and started where nobody answers`, 'pods', pod.name);
  story.deaths.push({ pod: pod.name, tick: story.tick() });
  await pod.kill();
  proxy?.silence();
  pod.launch();
  await lasts(random.int(500, LONG_MS));
  proxy?.resume();
  if (!(await pod.becomesReady())) await startAgain(pod);
  mended(`${pod.name} is answered`);
};

const ONE_WAY: readonly Named[] = [
  ['proxy-silent', cut({ what: 'all bytes' })],
  ['requests-cut', cut({ what: 'bytes to the server', direction: 'to-server' })],
  ['answers-cut', cut({ what: 'bytes from the server', direction: 'to-client' })],
  ['all-late', cut({ what: 'bytes from the server', direction: 'to-client', delayMs: 4_000 })],
  ['proxy-broken', broken],
  ['born-without', bornWithout],
];

/** Redis is asked by one connection and heard by another. */
const HALVES: readonly Named[] = [
  ['answers-late', cut({ what: 'answers', direction: 'to-client', concerns: commands, delayMs: 4_000 })],
  ['only-answers-cut', cut({ what: 'answers', direction: 'to-client', concerns: commands })],
  [
    'publications-late',
    cut({ what: 'publications', direction: 'to-client', concerns: subscriptions, delayMs: 4_000 }),
  ],
  ['publications-cut', cut({ what: 'publications', direction: 'to-client', concerns: subscriptions })],
];

export const NATS_NETWORK_FAULTS = ONE_WAY;
export const REDIS_NETWORK_FAULTS = [...ONE_WAY, ...HALVES];
