import { eventually, get, podOn, ready, degraded, redisOf, SLOW } from './world.ts';
import { expect, test } from 'vitest';
import { allHeard, expectEverythingOnce, expectNoRepeat, saidBy } from './judge.ts';
import { type Network, networkTo } from './network.ts';
import type { PodProcess } from '../support/stack/pods.ts';
import type { RedisServer } from '../support/stack/redis-server.ts';
import { Witness } from './witness.ts';

/** One pod that can lose Redis by half, and another that has it all the time. */
async function halves(): Promise<{
  redis: RedisServer;
  network: Network;
  broken: PodProcess;
  whole: PodProcess;
}> {
  const redis = await redisOf();
  const network = await networkTo(redis);
  const [broken, whole] = [await podOn(network), await podOn(redis)];
  await ready(broken, whole);
  return { redis, network, broken, whole };
}

function inHistory(redis: RedisServer, count: number): Promise<void> {
  return eventually(
    `${count} messages`,
    async () => (await redis.command('XLEN', 'realtime:history:room')) === count,
  );
}

async function hears(one: Witness, n: number): Promise<void> {
  await eventually(`${one.user} to have ${n}`, () => one.heard().some((heard) => heard.n === n));
}

test(
  'who comes after a message has landed whose answer is held up gets it, and others not twice',
  SLOW,
  async () => {
    const { redis, network, broken, whole } = await halves();
    const alice = await Witness.join(broken, 'room', 'alice');
    const late = await Witness.join(broken, 'room', 'late');
    await late.leave();
    network.holdAnswers('crosspod:');
    network.holdAnswers('crosspod-subscriber:');
    alice.say();
    await inHistory(redis, 1);
    await degraded(broken);
    await hears(alice, 1);
    const early = await Witness.join(broken, 'room', 'early');
    await hears(early, 1);
    // What Redis publishes arrives, its answers do not.
    network.answer('crosspod-subscriber:');
    const other = await Witness.join(whole, 'elsewhere', 'other');
    const arrives = (): boolean => {
      other.client.send({ type: 'chat', to: 'alice', data: 'a direct message' });
      return alice.client.all({ type: 'chat', data: 'a direct message' }).length > 0;
    };
    await expect.poll(arrives, { timeout: 20_000, interval: 200 }).toBe(true);
    expect(await late.return(broken)).toMatchObject({ data: { recovered: false, reason: 'unavailable' } });
    network.answer('crosspod:');
    await ready(broken);
    await expectEverythingOnce([alice, early, late], [alice]);
    expect(await late.verdict()).toMatchObject({ recovered: true });
  },
);

test(
  'a client that had a message provisionally on the pod that alone is cut has it once on another',
  SLOW,
  async () => {
    const { redis, network, broken, whole } = await halves();
    const alice = await Witness.join(broken, 'room', 'alice');
    const bob = await Witness.join(broken, 'room', 'bob');
    const carol = await Witness.join(whole, 'room', 'carol');
    alice.say();
    await hears(carol, 1);
    network.holdAnswers('crosspod:');
    network.holdAnswers('crosspod-subscriber:');
    alice.say();
    alice.say({ ref: undefined });
    await inHistory(redis, 3);
    await degraded(broken);
    await hears(bob, 3);
    // Nobody has told the history that this pod's members have it already.
    for (const one of [alice, bob]) {
      await one.leave();
      await one.return(whole);
      await hears(one, 3);
    }
    const { body } = await get(whole, '/api/rooms/room/history');
    expect(body['messages']).toMatchObject([
      { data: { n: 1 } },
      { data: { n: 2 }, provisional_id: bob.heard().find(({ n }) => n === 2)?.provisionalId },
      { data: { n: 3 }, provisional_id: bob.heard().find(({ n }) => n === 3)?.provisionalId },
    ]);
    carol.say();
    for (const one of [alice, bob, carol]) {
      await eventually('what goes on', () => one.heard().some(({ by }) => by === 'carol'));
    }
    expectNoRepeat([alice, bob, carol]);
  },
);

test(
  'a message sent again on another pod is known to whoever came from the pod that is cut',
  SLOW,
  async () => {
    const { network, broken, whole } = await halves();
    const alice = await Witness.join(broken, 'room', 'alice');
    const bob = await Witness.join(broken, 'room', 'bob');
    alice.say();
    await hears(bob, 1);
    network.cut();
    await degraded(broken);
    const ref = alice.say();
    await hears(bob, 2);
    await bob.leave();
    await bob.return(whole);
    await alice.leave();
    await alice.return(whole);
    alice.client.send({ type: 'chat', room: 'room', data: { by: 'alice', n: 2 }, ref });
    expect(await alice.answerTo(ref)).toMatchObject({ type: 'ack' });
    network.mend();
    await ready(broken);
    alice.say();
    await hears(bob, 3);
    expectNoRepeat([alice, bob]);
  },
);

test('what was taken, and is trimmed before its pod learns of it, is not published again', SLOW, async () => {
  const redis = await redisOf();
  const network = await networkTo(redis);
  const settings = { HISTORY_SIZE: '10', MESSAGES_PER_SECOND: '0' };
  const [broken, whole] = [await podOn(network, settings), await podOn(redis, settings)];
  await ready(broken, whole);
  const alice = await Witness.join(broken, 'room', 'alice');
  const bob = await Witness.join(whole, 'room', 'bob');
  alice.wantsAcks = false;
  network.holdAnswers('crosspod:');
  alice.say();
  await hears(bob, 1);
  for (let n = 0; n < 20; n += 1) bob.say();
  await degraded(broken);
  alice.say();
  network.answer('crosspod:');
  await ready(broken);
  const speakers = [alice, bob];
  await allHeard(speakers, saidBy(speakers));
  const { body } = await get(whole, '/api/rooms/room/history');
  const kept = body['messages'] as { data: { by: string; n: number } }[];
  expect(kept.filter(({ data }) => data.by === 'alice').map(({ data }) => data.n)).toEqual([2]);
  expectNoRepeat(speakers);
});
