import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { PodProcess } from '../support/stack/pods.ts';
import { eventually, podOn, post, redisOf, SLOW } from '../faults/world.ts';
import { freePort } from '../support/ports.ts';
import type { Proxy } from '../support/proxy.ts';
import { inSeconds, SECRET, token } from '../support/tokens.ts';
import type { Person } from './person.ts';
import { countDials } from './platform.ts';
import { expectNothingLost, hasty, membersAre, moreTalk, personAt, proxyTo, startTalk } from './world.ts';

const API_KEY = 'the-key-of-the-tests';

/** Long enough to connect and to be cut off, short enough to wait for. */
const SHORT_SECONDS = 4;

/** A client that does not give up would be back by then many times over: nothing comes after that could be waited for. */
const NO_RETURN_MS = 2_000;

/** So long after its end a pod still takes a token from whoever connects. */
const TOLERANCE_SECONDS = 5;

interface World {
  readonly pod: PodProcess;
  /** What ann comes through. */
  readonly door: Proxy & { readonly wsUrl: string };
  /** Somebody who is there all the time. */
  readonly bob: Person;
}

async function strictWorld(): Promise<World> {
  const pod = await podOn(await redisOf(), { JWT_SECRET: SECRET, API_KEYS: API_KEY });
  const door = await proxyTo(pod.ports.PORT);
  const bob = await personAt(pod, 'bob', { getToken: () => token({ sub: 'bob' }), platform: hasty() });
  return { pod, door, bob };
}

/** Nobody gets through the door any more; gives what opens it again. */
async function outage({ pod, door }: World, ann: Person): Promise<() => void> {
  door.leadTo(await freePort());
  door.breakAll();
  await eventually('ann to be cut off', () => ann.states.includes('reconnecting'));
  return () => door.leadTo(Number(pod.ports.PORT));
}

/** A token of ann that ends soon. */
async function shortToken(): Promise<{ token: string; endsAt: number }> {
  const endsAt = inSeconds(SHORT_SECONDS);
  return { token: await token({ sub: 'ann', exp: endsAt }), endsAt };
}

/** Resolves so many seconds after the end; the server counts whole ones. */
async function ended(endsAt: number, seconds = 0): Promise<void> {
  await eventually('the end of the token', () => Date.now() >= (endsAt + seconds + 1) * 1_000);
}

test('a token that ends during an outage is followed by a new one', SLOW, async () => {
  const world = await strictWorld();
  const { bob, door } = world;
  // As applications do it: the token is kept as long as it is good.
  let held = await shortToken();
  const { endsAt } = held;
  let made = 0;
  const getToken = async (): Promise<string> => {
    if (held.endsAt * 1_000 <= Date.now()) {
      made += 1;
      held = { token: await token({ sub: 'ann' }), endsAt: inSeconds(3_600) };
    }
    return held.token;
  };
  const ann = await personAt(door, 'ann', { getToken, platform: hasty() });
  const talk = startTalk([ann, bob]);
  await moreTalk([ann, bob], [ann, bob], 5);
  const open = await outage(world, ann);
  await ended(endsAt);
  open();
  await moreTalk([ann, bob], [ann, bob], 5);
  talk.stop();
  expect(made).toBe(1);
  await expectNothingLost([ann, bob], [ann, bob]);
  expect(ann.states).toEqual(['connected', 'reconnecting', 'connected']);
  await membersAre([ann, bob], ['ann', 'bob']);
});

test('a token that is refused after an outage is followed by the next one', SLOW, async () => {
  const world = await strictWorld();
  const { bob, door } = world;
  const last = await token({ sub: 'ann', exp: inSeconds(-60) });
  const good = await token({ sub: 'ann' });
  const given: string[] = [];
  let isUp = true;
  const getToken = (): string => {
    // Where tokens come from is away as well, and has an old one at hand when it is back.
    if (!isUp) throw new Error('no token today');
    const next = given.length === 1 ? last : good;
    given.push(next);
    return next;
  };
  const ann = await personAt(door, 'ann', { getToken, platform: hasty() });
  const talk = startTalk([ann, bob]);
  await moreTalk([ann, bob], [ann, bob], 5);
  isUp = false;
  const open = await outage(world, ann);
  await moreTalk([bob], [bob], 5);
  open();
  isUp = true;
  await moreTalk([ann, bob], [ann, bob], 5);
  talk.stop();
  expect(given).toEqual([good, last, good]);
  await expectNothingLost([ann, bob], [ann, bob]);
  expect(ann.states).toEqual(['connected', 'reconnecting', 'connected']);
});

test('who has none but a token that has ended is closed with 4401 and never comes again', SLOW, async () => {
  const world = await strictWorld();
  const dials = countDials();
  const { token: short, endsAt } = await shortToken();
  let asked = 0;
  const getToken = (): string => {
    asked += 1;
    return short;
  };
  const ann = await personAt(world.door, 'ann', { getToken, platform: { ...hasty(), ...dials.platform } });
  const open = await outage(world, ann);
  await ended(endsAt, TOLERANCE_SECONDS);
  void ann.say();
  open();
  await eventually('the end', () => ann.client.state === 'closed');
  expect(ann.ends.at(-1)).toEqual({ code: 4401, reason: 'token expired' });
  expect(ann.states).toEqual(['connected', 'reconnecting', 'closed']);
  const before = [dials.count, asked];
  // Asked five times more than it dialled: none of those answers was of use.
  expect(asked).toBe(dials.count + 5);
  await sleep(NO_RETURN_MS);
  expect([dials.count, asked]).toEqual(before);
  await ann.say();
  expect([...ann.refused.values()]).toEqual(['closed', 'closed']);
});

test('a token that ends under a connection is followed by a new one, and nothing is lost', SLOW, async () => {
  const { bob, door } = await strictWorld();
  const { token: short } = await shortToken();
  const tokens = [short, await token({ sub: 'ann' })];
  const getToken = (): string => tokens.shift() ?? '';
  const ann = await personAt(door, 'ann', { getToken, platform: hasty() });
  const talk = startTalk([ann, bob]);
  await eventually('a new connection', () => ann.states.length === 3);
  await moreTalk([ann, bob], [ann, bob], 5);
  talk.stop();
  expect(tokens).toEqual([]);
  expect(ann.states).toEqual(['connected', 'reconnecting', 'connected']);
  await expectNothingLost([ann, bob], [ann, bob]);
});

test('who is kicked is closed with 4403 and never comes again', SLOW, async () => {
  const { pod, bob } = await strictWorld();
  const dials = countDials();
  const getToken = (): Promise<string> => token({ sub: 'ann' });
  const ann = await personAt(pod, 'ann', { getToken, platform: { ...hasty(), ...dials.platform } });
  await membersAre([bob], ['ann', 'bob']);
  const body = { reason: 'enough' };
  expect(await post(pod, '/api/users/ann/disconnect', body, { 'X-API-Key': API_KEY })).toMatchObject({
    status: 200,
  });
  await eventually('the end', () => ann.client.state === 'closed');
  expect(ann.ends.at(-1)).toEqual({ code: 4403, reason: 'enough' });
  await sleep(NO_RETURN_MS);
  expect(dials.count).toBe(1);
  expect(ann.states).toEqual(['connected', 'closed']);
  await expect(ann.room.join()).rejects.toMatchObject({ code: 'closed' });
  await membersAre([bob], ['bob']);
});
