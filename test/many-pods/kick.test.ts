import { expect, test } from 'vitest';
import { aWorld, connectionId, post, present } from './world.ts';
import { fresh, guest, member, namedListener, settled, settledChannel } from '../integration/people.ts';
import { until } from '../support/client.ts';

const here = aWorld({ pods: 3, env: { PRESENCE_GRACE_SECONDS: '0' } });

test('A user is disconnected on all pods with 4403 and the reason, and nobody else is', async () => {
  const [bob, carol] = [fresh('bob'), fresh('carol')];
  const room = fresh();
  const bobs = [
    await member(here.a, room, bob),
    await guest(here.b, bob),
    await namedListener(here.b, room, bob, ['broadcast']),
  ];
  const others = [
    await member(here.a, room, carol),
    await member(here.b, room, carol),
    await guest(here.c, carol),
  ];
  const answer = await post(here.c, `/api/users/${bob}/disconnect`, { reason: 'house rules' });
  expect(answer).toMatchObject({ status: 200, body: { status: 'ok' } });
  expect(answer.body).not.toHaveProperty('partial');
  for (const one of bobs) expect(await one.closed).toEqual({ code: 4403, reason: 'house rules' });
  for (const one of others) await settled(one);
  await until('bob to be gone', async () => Object.keys(await present(here.c, room)).join() === carol);
});

test('One connection is disconnected on whichever pod, and no other of its user', async () => {
  const bob = fresh('bob');
  for (const [target, asked] of [
    [here.b, here.a],
    [here.a, here.a],
    [here.a, here.c],
  ] as const) {
    const others = [await guest(here.a, bob), await guest(here.b, bob)];
    const one = await guest(target, bob);
    const path = `/api/connections/${connectionId(one)}/disconnect`;
    expect(await post(asked, path, { reason: 'twice' })).toMatchObject({
      status: 200,
      body: { status: 'ok' },
    });
    expect(await one.closed).toEqual({ code: 4403, reason: 'twice' });
    for (const other of others) await settled(other);
  }
});

test('A reason may be left out, and it is ok when nobody is there', async () => {
  const bob = fresh('bob');
  const zoe = await namedListener(here.b, fresh(), bob, []);
  await settledChannel(zoe);
  expect((await post(here.a, `/api/users/${bob}/disconnect`)).body).toEqual({ status: 'ok' });
  expect(await zoe.closed).toMatchObject({ code: 4403 });
  expect(await post(here.a, `/api/users/${bob}/disconnect`)).toMatchObject({
    status: 200,
    body: { status: 'ok' },
  });
});

test('Who was disconnected may come back at once, on any pod, and stays', async () => {
  const bob = fresh('bob');
  const before = await Promise.all(here.pods.map((pod) => guest(pod, bob)));
  await post(here.a, `/api/users/${bob}/disconnect`);
  for (const one of before) await one.closed;
  const after = await Promise.all(here.pods.map((pod) => guest(pod, bob)));
  // What a pod was told first comes first: had it kicked again, the message would not arrive.
  await post(here.a, `/api/users/${bob}/messages`, { event: 'welcome' });
  for (const one of after) await one.next({ event: 'welcome' });
});
