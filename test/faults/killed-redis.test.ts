import { expect, test } from 'vitest';
import { degraded, eventually, get, podsOn, post, ready, redisOf, SLOW } from './world.ts';
import { allAcked, allHeard, expectEverythingOnce, expectNoRepeat, saidBy, startTalk } from './judge.ts';
import { part } from '../support/client.ts';
import { Witness } from './witness.ts';

test('Redis killed under load and back without its data: nobody misses anything said', SLOW, async () => {
  const redis = await redisOf();
  const [here, there] = await podsOn(redis);
  const speakers = [
    await Witness.join(here, 'room', 'alice'),
    await Witness.join(here, 'room', 'bob'),
    await Witness.join(there, 'room', 'carol'),
  ];
  const quiet = await Witness.join(there, 'room', 'quiet');
  const talk = startTalk(speakers);
  await eventually('some talk', () => quiet.heard().length > 100);
  await redis.kill();
  await degraded(here, there);
  const before = quiet.heard().length;
  await eventually('talk on the own pod', () => quiet.heard().length > before + 50);
  await redis.start();
  await ready(here, there);
  const after = quiet.heard().length;
  await eventually('more talk', () => quiet.heard().length > after + 100);
  talk.stop();
  await expectEverythingOnce([...speakers, quiet], speakers);
  for (const one of [...speakers, quiet]) expect(one.losses()).toEqual(['history_lost']);
});

test('what waited is delivered with its provisional id, and old positions are lost', SLOW, async () => {
  const redis = await redisOf();
  const [here, there] = await podsOn(redis);
  const alice = await Witness.join(here, 'room', 'alice');
  const bob = await Witness.join(here, 'room', 'bob');
  const carol = await Witness.join(there, 'room', 'carol');
  const absent = await Witness.join(there, 'room', 'absent');
  alice.say();
  await allHeard([alice, bob, carol, absent], saidBy([alice]));
  await absent.leave();
  await redis.kill();
  await degraded(here, there);
  const ref = alice.say();
  await allHeard([alice, bob], saidBy([alice]));
  const provisional = bob.frames.at(-1);
  expect(provisional).toMatchObject({ type: 'chat', provisional: true, data: { by: 'alice', n: 2 } });
  expect(carol.heard()).toHaveLength(1);
  expect(alice.answers().has(ref)).toBe(false);
  await redis.start();
  const { id } = await alice.answerTo(ref);
  await allHeard([carol], saidBy([alice]));
  const landed = carol.frames.findLast(({ type }) => type === 'chat');
  expect(landed).toMatchObject({ id, provisional_id: provisional?.['id'], data: { by: 'alice', n: 2 } });
  expect(landed).not.toHaveProperty('provisional');
  for (const one of [alice, bob, carol]) {
    await eventually(`${one.user} to be told`, () => one.losses().length > 0);
    expect(one.losses()).toEqual(['history_lost']);
  }
  expect(part(await absent.return(there), 'data')).toMatchObject({
    recovered: false,
    reason: 'history_lost',
  });
  await allHeard([absent], saidBy([alice]));
  expectNoRepeat([alice, bob, carol, absent]);
});

test('who joins while Redis is away has later what was said on the other pod', SLOW, async () => {
  const redis = await redisOf();
  const [here, there] = await podsOn(redis);
  const early = await Witness.join(there, 'known', 'early');
  const inKnown = await Witness.join(here, 'known', 'alice');
  const inNew = await Witness.join(here, 'new', 'alice');
  await redis.kill();
  await degraded(here, there);
  const late = [
    await Witness.join(there, 'known', 'late'),
    await Witness.join(there, 'new', 'late'),
    await Witness.join(there, 'known', 'returning', { last_id: early.position }),
  ];
  for (const one of late) expect(one.losses()).toEqual(['unavailable']);
  inKnown.say();
  inNew.say();
  await redis.start();
  await ready(here, there);
  await allHeard([early, late[0] ?? early, late[2] ?? early], saidBy([inKnown]));
  await allHeard(late.slice(1, 2), saidBy([inNew]));
  for (const one of late) {
    const events = one.frames.filter(({ event }) => event === 'recovered');
    expect(events, `told to ${one.user} in ${one.room}`).toHaveLength(1);
  }
  expect(late[0]?.losses()).toEqual(['unavailable', 'history_lost']);
  expect(late[2]?.losses()).toEqual(['unavailable', 'history_lost']);
  expectNoRepeat([early, inKnown, inNew, ...late]);
  inKnown.say();
  inNew.say();
  await allHeard([early, inKnown, late[0] ?? early, late[2] ?? early], saidBy([inKnown]));
  await allHeard([inNew, late[1] ?? early], saidBy([inNew]));
  expectNoRepeat([early, inKnown, inNew, ...late]);
});

test('a publication that the buffer cannot hold is refused, and those before it arrive', SLOW, async () => {
  const redis = await redisOf();
  const [here, there] = await podsOn(redis, { PUBLISH_BUFFER_MESSAGES: '5' });
  const alice = await Witness.join(here, 'room', 'alice');
  const bob = await Witness.join(here, 'room', 'bob');
  const carol = await Witness.join(there, 'room', 'carol');
  await redis.kill();
  await degraded(here, there);
  for (let n = 1; n <= 5; n += 1) alice.say();
  const said = saidBy([alice]);
  const refused = await alice.answerTo(alice.say());
  expect(refused).toMatchObject({ type: 'error', data: { code: 'unavailable' } });
  const answer = await post(here, '/api/rooms/room/messages', { data: { by: 'http', n: 1 } });
  expect(answer).toMatchObject({ status: 503, body: { code: 'unavailable' } });
  expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
  await allHeard([alice, bob], said);
  await redis.start();
  await allHeard([carol], said);
  for (let n = 1; n <= 5; n += 1) expect(await alice.answerTo(`alice-${n}`)).toMatchObject({ type: 'ack' });
  await ready(here, there);
  const marker = await alice.answerTo(alice.say());
  expect(marker['type']).toBe('ack');
  for (const one of [alice, bob, carol]) {
    await eventually('the marker', () => one.heard().some(({ n }) => n === 7));
    expect(one.heard().map(({ by, n }) => `${by} ${n}`)).toEqual([1, 2, 3, 4, 5, 7].map((n) => `alice ${n}`));
  }
});

test('a ref repeated while Redis is away, here and there, is one message', SLOW, async () => {
  const redis = await redisOf();
  const [here, there] = await podsOn(redis);
  const alice = await Witness.join(here, 'room', 'alice');
  const elsewhere = await Witness.join(there, 'room', 'alice');
  const bob = await Witness.join(here, 'room', 'bob');
  const carol = await Witness.join(there, 'room', 'carol');
  const everybody = [alice, elsewhere, bob, carol];
  await redis.kill();
  await degraded(here, there);
  const ref = alice.say();
  const frame = { type: 'chat', room: 'room', ref, data: { by: 'alice', n: 1 } };
  alice.client.send(frame);
  elsewhere.client.send(frame);
  await allHeard(everybody, saidBy([alice]));
  const ids = new Set(everybody.flatMap((one) => one.heard().map(({ id }) => id)));
  expect([...ids]).toEqual([expect.any(String)]);
  await redis.start();
  const acks = [await alice.answerTo(ref), await elsewhere.answerTo(ref)];
  expect(acks[0]?.['id']).toBe(acks[1]?.['id']);
  await eventually('both acks', () => alice.client.all({ type: 'ack', ref }).length === 2);
  const { body } = await get(here, '/api/rooms/room/history');
  expect(body['messages']).toMatchObject([{ id: acks[0]?.['id'], provisional_id: [...ids][0] }]);
  alice.say();
  await allHeard(everybody, saidBy([alice]));
  expectNoRepeat(everybody);
  for (const one of everybody) {
    expect(one.frames.filter(({ type }) => type === 'chat')).toHaveLength(2);
  }
  await allAcked([alice]);
});

test('HTTP while Redis is away says what it could not do', SLOW, async () => {
  const redis = await redisOf();
  const [here, there] = await podsOn(redis);
  const bob = await Witness.join(here, 'room', 'bob');
  const carol = await Witness.join(there, 'room', 'carol');
  await redis.kill();
  await degraded(here, there);
  const published = await post(here, '/api/rooms/room/messages', { data: { by: 'system', n: 1 } });
  expect(published).toMatchObject({ status: 200, body: { provisional: true } });
  await allHeard([bob], new Map([['system', 1]]));
  expect(bob.heard()[0]?.id).toBe(published.body['id']);
  for (const path of ['/api/rooms', '/api/rooms/room/presence', '/api/rooms/room/history']) {
    const { status, headers, body } = await get(here, path);
    expect({ path, status, body }).toMatchObject({ path, status: 503, body: { code: 'unavailable' } });
    expect(headers.get('retry-after')).toMatch(/^\d+$/);
  }
  expect((await get(here, '/ws/stats')).body).toMatchObject({ connections: 1, rooms: 1 });
  const direct = await post(here, '/api/users/bob/messages', { data: 'psst' });
  expect(direct).toMatchObject({ status: 200, body: { partial: true } });
  await bob.client.next({ to: 'bob', data: 'psst' });
  const broadcast = await post(here, '/api/broadcast', { data: 'all' });
  expect(broadcast).toMatchObject({ status: 200, body: { partial: true } });
  await bob.client.next({ data: 'all' });
  const kick = await post(here, '/api/users/bob/disconnect', {});
  expect(kick).toMatchObject({ status: 200, body: { status: 'ok', partial: true } });
  expect(await bob.client.closed).toMatchObject({ code: 4403 });
  await redis.start();
  await ready(here, there);
  await allHeard([carol], new Map([['system', 1]]));
  expect(carol.heard()).toHaveLength(1);
  expect((await get(here, '/api/rooms/room/presence')).status).toBe(200);
});
