import { describe, expect, test } from 'vitest';
import { aWorld, connectionId, get, post, present, told } from './world.ts';
import { fresh, guest, join, member, published, settled } from '../integration/people.ts';

// Three clusters of one pod each. The second's prefix is what the first's names begin with.
const here = aWorld({ pods: 1, env: { MAX_CONNECTIONS_PER_USER: '1' } });

describe('Clusters with different prefixes on one Redis', () => {
  test.each(['shop:', 'realtime:'])('do not hear each other (none and %s)', async (prefix) => {
    const there = await here.pod({ REDIS_PREFIX: prefix });
    const room = fresh();
    const alice = await member(here.a, room, 'alice');
    // The only place for alice here is taken; there it is free.
    const stranger = await member(there, room, 'alice');
    expect(stranger.all({ event: 'joined' })).toMatchObject([{ data: { count: 1 } }]);
    await published(stranger, { room, data: 'theirs' }, 'same');
    await published(stranger, { room, data: 'theirs', ephemeral: true });
    await published(stranger, { event: 'theirs', data: 'theirs' });
    await published(stranger, { to: 'alice', data: 'theirs' });
    await published(stranger, { to: `conn:${connectionId(alice)}`, data: 'theirs' });
    await post(there, '/api/users/alice/disconnect');
    await post(there, `/api/connections/${connectionId(alice)}/disconnect`);
    await stranger.closed;
    const bob = await member(there, room, 'bob');
    // What crossed before this arrives before it.
    await published(alice, { room, data: 'ours' }, 'same');
    await alice.next({ data: 'ours' });
    expect(alice.all({ data: 'theirs' })).toEqual([]);
    expect(told(alice, 'bob', room)).toEqual([]);
    expect(Object.keys(await present(here.a, room))).toEqual(['alice']);
    expect(Object.keys(await present(there, room))).toContain('bob');
    expect((await get(here.a, `/api/rooms?prefix=${room}`)).body['rooms']).toEqual([
      { room, connections: 1 },
    ]);
    expect((await get(here.a, `/api/rooms/${room}/history`)).body).toMatchObject({
      messages: [{ data: 'ours' }],
    });
    expect(bob.all({ data: 'ours' })).toEqual([]);
  });

  test('do not take each other’s positions for their own', async () => {
    const there = await here.pod({ REDIS_PREFIX: 'other:' });
    const room = fresh();
    const position = await published(await guest(here.a), { room, data: 1 });
    await published(await guest(there), { room, data: 2 });
    const client = await guest(there);
    const joined = await join(client, room, { last_id: position });
    expect(joined).toMatchObject({ data: { recovered: false, reason: 'history_lost', replayed: 1 } });
    await settled(client);
  });
});

test('Pods with the same prefix are one cluster', async () => {
  const env = { REDIS_PREFIX: 'one-cluster:' };
  const [one, two] = [await here.pod(env), await here.pod(env)];
  const room = fresh();
  const bob = await member(two, room, 'bob');
  await published(await guest(one), { room, data: 1 });
  await bob.next({ data: 1 });
});
