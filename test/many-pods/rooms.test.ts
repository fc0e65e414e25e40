import { describe, expect, test } from 'vitest';
import { type Answer, aWorld, get, PATIENT } from './world.ts';
import { fresh, guest, join, member, oldListener, published } from '../integration/people.ts';
import type { Frame } from '../support/client.ts';

const here = aWorld({ pods: 3 });

/** What each pod says of the rooms; all say the same, sooner or later. */
async function rooms(query: string, expected: Frame[]): Promise<void> {
  for (const pod of here.pods) {
    await expect
      .poll(async () => (await get(pod, `/api/rooms?${query}`)).body['rooms'], PATIENT)
      .toEqual(expected);
  }
}

describe('GET /api/rooms', () => {
  test('counts the connections of all pods, and fewer as they leave', async () => {
    const prefix = `${fresh('count')}-`;
    const [room, other] = [`${prefix}a`, `${prefix}b`];
    const alice = await member(here.a, room, 'alice');
    const bob = await member(here.b, room, 'bob');
    const second = await member(here.b, room, 'bob');
    await oldListener(here.c, other, 'old', ['broadcast']);
    await join(alice, other);
    await rooms(`prefix=${prefix}`, [
      { room, connections: 3 },
      { room: other, connections: 2 },
    ]);
    await second.close(1000);
    await rooms(`prefix=${prefix}`, [
      { room, connections: 2 },
      { room: other, connections: 2 },
    ]);
    alice.send({ type: 'leave', room });
    await alice.next({ event: 'left', room });
    await rooms(`prefix=${prefix}`, [
      { room, connections: 1 },
      { room: other, connections: 2 },
    ]);
    await bob.terminate();
    await rooms(`prefix=${prefix}`, [{ room: other, connections: 2 }]);
  });

  test('does not list a room to which somebody only publishes', async () => {
    const prefix = `${fresh('published')}-`;
    await published(await guest(here.a), { room: `${prefix}a`, data: 1 });
    await member(here.b, `${prefix}b`, 'bob');
    await rooms(`prefix=${prefix}`, [{ room: `${prefix}b`, connections: 1 }]);
  });

  test('goes page by page over the rooms of all pods by name, also from pod to pod', async () => {
    const prefix = `${fresh('page')}-`;
    const names = ['B', 'a', 'a.1', 'b', 'c'].map((name) => `${prefix}${name}`);
    for (const [n, room] of names.toReversed().entries())
      await member(here.pods[n % 3] ?? here.a, room, 'bob');
    await rooms(
      `prefix=${prefix}`,
      names.map((room) => ({ room, connections: 1 })),
    );
    const pages: unknown[][] = [];
    let cursor: string | null = '';
    for (let n = 0; cursor !== null; n += 1) {
      const pod = here.pods[n % 3] ?? here.a;
      const { body }: Answer = await get(pod, `/api/rooms?prefix=${prefix}&limit=2&cursor=${cursor}`);
      pages.push((body['rooms'] as Frame[]).map(({ room }) => room));
      cursor = body['cursor'] as string | null;
    }
    expect(pages).toEqual([names.slice(0, 2), names.slice(2, 4), names.slice(4)]);
  });

  test('lists no room whose name only contains the prefix, nor treats it as a pattern', async () => {
    const prefix = `${fresh('x')}.`;
    await member(here.a, `${prefix}y`, 'bob');
    await member(here.b, `y${prefix}y`, 'bob');
    await member(here.b, `${prefix.replace('.', '-')}y`, 'bob');
    await rooms(`prefix=${prefix}`, [{ room: `${prefix}y`, connections: 1 }]);
  });

  test('goes on counting right when many come and go on all pods at once', async () => {
    const prefix = `${fresh('crowd')}-`;
    const stay = [];
    for (let round = 0; round < 3; round += 1) {
      const came = await Promise.all(
        here.pods.flatMap((pod) => ['a', 'b'].map((name) => member(pod, `${prefix}${name}`, fresh('user')))),
      );
      const [one, ...go] = came;
      stay.push(one);
      await Promise.all(go.map((each, n) => (n % 2 === 0 ? each.close(1000) : each.terminate())));
    }
    await rooms(`prefix=${prefix}`, [{ room: `${prefix}a`, connections: stay.length }]);
  });
});

test('A pod that is stopped no longer counts', async () => {
  const prefix = `${fresh('stop')}-`;
  // An hour of grace: its users may be present still, but it has no connections any more.
  const another = await here.pod({ PRESENCE_GRACE_SECONDS: '3600' });
  await member(another, `${prefix}a`, 'alice');
  await member(another, `${prefix}b`, 'alice');
  await member(here.b, `${prefix}a`, 'bob');
  await rooms(`prefix=${prefix}`, [
    { room: `${prefix}a`, connections: 2 },
    { room: `${prefix}b`, connections: 1 },
  ]);
  expect(await another.stop()).toEqual({ code: 0, signal: null });
  await rooms(`prefix=${prefix}`, [{ room: `${prefix}a`, connections: 1 }]);
});
