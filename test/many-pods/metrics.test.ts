import { expect, test } from 'vitest';
import { aWorld, get, metric, PATIENT } from './world.ts';
import { guest, join, member, numbered, published, settled } from '../integration/people.ts';

const here = aWorld();

async function textOf(pod: typeof here.a): Promise<string> {
  const answer = await fetch(`${pod.opsUrl}/metrics`);
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain;.*version=0\.0\.4/);
  return answer.text();
}

test('A pod on Redis says that it is there, and what has gone wrong with it so far', async () => {
  for (const pod of here.pods) {
    expect(await metric(pod, 'realtime_redis_up')).toBe(1);
    expect(await metric(pod, 'realtime_redis_subscribed')).toBe(1);
    for (const name of ['losses', 'subscription_revivals', 'publications_waiting', 'publish_errors']) {
      expect([name, await metric(pod, `realtime_redis_${name}`)]).toEqual([name, 0]);
    }
    expect(await textOf(pod)).toMatch(/^# TYPE realtime_redis_up gauge$/m);
  }
});

test('Each pod counts what is its own: connections, rooms, who is present, frames', async () => {
  await member(here.a, 'one', 'alice');
  const second = await member(here.a, 'one', 'alice');
  const bob = await member(here.b, 'one', 'bob');
  await join(bob, 'two');
  expect(await metric(here.a, 'realtime_connections_total')).toBe(2);
  expect(await metric(here.b, 'realtime_connections_total')).toBe(1);
  expect(await metric(here.a, 'realtime_rooms_total')).toBe(1);
  expect(await metric(here.b, 'realtime_rooms_total')).toBe(2);
  expect(await metric(here.a, 'realtime_presence_members')).toBe(2);
  expect(await metric(here.b, 'realtime_presence_members')).toBe(2);
  expect((await get(here.b, '/ws/stats')).body).toMatchObject({ connections: 1, rooms: 2 });
  const before = await metric(here.b, 'realtime_messages_sent');
  await published(second, { room: 'one', data: 1 });
  await bob.next({ data: 1 });
  await expect.poll(() => metric(here.b, 'realtime_messages_sent'), PATIENT).toBe(before + 1);
});

test('The time from publishing to delivering is measured on every pod that has a member, once a message', async () => {
  const room = 'measured';
  const [alice, bob] = [await member(here.a, room, 'alice'), await member(here.b, room, 'bob')];
  await member(here.b, room, 'carol');
  const count = 'realtime_publish_to_deliver_seconds_count';
  const before = await Promise.all(here.pods.map((pod) => metric(pod, count)));
  await numbered(alice, room, 1, 5);
  await published(alice, { room, data: { n: 6 }, ephemeral: true });
  for (const one of [alice, bob]) await one.next({ data: { n: 6 } });
  const after = await Promise.all(here.pods.map((pod) => metric(pod, count)));
  expect(after).toEqual(before.map((n) => n + 6));
});

test('Recoveries are counted by result on the pod to which the client came back', async () => {
  const [position] = await numbered(await guest(here.a), 'recovered', 1, 2);
  for (const last of [position, 'nonsense']) await join(await guest(here.b), 'recovered', { last_id: last });
  expect(await textOf(here.b)).toMatch(/^realtime_recoveries\{result="recovered"\} 1$/m);
  expect(await textOf(here.b)).toMatch(/^realtime_recoveries\{result="unknown_position"\} 1$/m);
  expect(await textOf(here.a)).not.toMatch(/^realtime_recoveries\{result="recovered"\} [1-9]/m);
});

test('No label holds a room, a user or an id', async () => {
  const alice = await member(here.a, 'secret-room', 'secret-user');
  const bob = await member(here.b, 'secret-room', 'secret-other');
  const id = await published(alice, { data: 1 });
  await bob.next({ id });
  await settled(bob);
  for (const pod of here.pods) {
    const text = await textOf(pod);
    for (const secret of ['secret', id]) expect(text).not.toContain(secret);
  }
});
