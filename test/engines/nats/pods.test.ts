import { eventually, podOn, podsOn, post, SLOW } from '../../faults/world.ts';
import { expect, test } from 'vitest';
import { expectEverythingOnce, expectNoRepeat, saidBy, startTalk, allHeard } from '../../faults/judge.ts';
import { metric } from '../../many-pods/world.ts';
import { natsOf } from './world.ts';
import { part } from '../../support/client.ts';
import { Witness } from '../../faults/witness.ts';

test(
  'Two pods on NATS: one order everywhere, and a client that was offline gets everything on another pod',
  SLOW,
  async () => {
    const nats = await natsOf();
    const [here, there] = await podsOn(nats);
    const speakers = [await Witness.join(here, 'a.b', 'alice'), await Witness.join(there, 'a.b', 'bob')];
    const moved = await Witness.join(here, 'a.b', 'moved');
    const talk = startTalk(speakers, 2);
    await eventually('some talk', () => moved.heard().length > 50);
    await moved.leave();
    const before = speakers[1]?.said ?? 0;
    await eventually('more talk', () => (speakers[1]?.said ?? 0) > before + 100);
    expect(part(await moved.return(there), 'data')).toMatchObject({ recovered: true });
    talk.stop();
    await expectEverythingOnce([...speakers, moved], speakers);
    for (const one of [...speakers, moved])
      expect(one.heard().some(({ isProvisional }) => isProvisional)).toBe(false);
    for (const pod of [here, there]) {
      expect(await metric(pod, 'realtime_nats_up')).toBe(1);
      for (const name of [
        'nats_losses',
        'nats_subscription_revivals',
        'nats_publications_waiting',
        'nats_publish_errors',
        'redis_publish_errors',
      ])
        expect([name, await metric(pod, `realtime_${name}`)]).toEqual([name, 0]);
    }
  },
);

test(
  'A message that is not stored comes after all that its publisher published before, in whichever room',
  SLOW,
  async () => {
    const nats = await natsOf();
    const [here, there] = await podsOn(nats);
    for (const room of ['one', 'two', 'three', 'four', 'five']) {
      const alice = await Witness.join(here, room, 'alice');
      const bob = await Witness.join(there, room, 'bob');
      for (let n = 0; n < 20; n += 1) alice.say();
      alice.client.send({ type: 'chat', room: `${room}-other`, data: 'kept' });
      alice.say({ ephemeral: true });
      await allHeard([alice, bob], saidBy([alice]));
      expectNoRepeat([alice, bob]);
    }
  },
);

test('A ref repeated on another pod, or a key repeated over HTTP, is one message', SLOW, async () => {
  const nats = await natsOf();
  const [here, there] = await podsOn(nats);
  const alice = await Witness.join(here, 'room', 'alice');
  const elsewhere = await Witness.join(there, 'room', 'alice');
  for (let n = 1; n <= 10; n += 1) {
    const frame = { type: 'chat', room: 'room', ref: alice.say(), data: { by: 'alice', n } };
    elsewhere.client.send(frame);
    const acks = [await alice.answerTo(frame.ref), await elsewhere.answerTo(frame.ref)];
    expect(acks[0]?.['id']).toBe(acks[1]?.['id']);
  }
  const key = { 'idempotency-key': 'k' };
  const ids = new Set<unknown>();
  for (const pod of [here, there, here]) {
    const { status, body } = await post(pod, '/api/rooms/room/messages', { data: { by: 'http', n: 1 } }, key);
    expect(status).toBe(200);
    ids.add(body['id']);
  }
  expect(ids.size).toBe(1);
  const said = new Map([...saidBy([alice]), ['http', 1]]);
  await allHeard([alice, elsewhere], said);
  for (const one of [alice, elsewhere]) {
    expect(one.frames.filter(({ type }) => type === 'chat')).toHaveLength(11);
  }
});

test('Pods with different prefixes on the same NATS are independent', SLOW, async () => {
  const nats = await natsOf();
  const here = await podOn(nats);
  const there = await podOn(nats, { NATS_PREFIX: 'other' });
  const alice = await Witness.join(here, 'room', 'alice');
  const bob = await Witness.join(there, 'room', 'bob');
  alice.say();
  bob.say();
  await allHeard([alice], saidBy([alice]));
  await allHeard([bob], saidBy([bob]));
  expect([alice.heard().length, bob.heard().length]).toEqual([1, 1]);
});
