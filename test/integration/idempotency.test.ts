import { afterAll, describe, expect, test } from 'vitest';
import { startPod } from '../support/pod.ts';
import { fresh, guest, join, member, namedListener, published, settled } from './people.ts';

const pod = await startPod();
afterAll(() => pod.stop());

describe('A ref that a user repeats in a room is acked with the first id and delivered to nobody twice', () => {
  test('on the same connection', async () => {
    const room = fresh();
    const alice = await member(pod, room, fresh('alice'));
    const bob = await member(pod, room, 'bob');
    const first = await published(alice, { type: 'chat', room, data: 1 }, 'same');
    expect(await published(alice, { type: 'chat', room, data: 2 }, 'same')).toBe(first);
    await published(alice, { type: 'chat', room, data: 'marker' });
    await bob.next({ data: 'marker' });
    expect(bob.all({ type: 'chat' }).map(({ data }) => data)).toEqual([1, 'marker']);
    expect(alice.all({ type: 'chat' }).map(({ data }) => data)).toEqual([1, 'marker']);
  });

  test('on the same connection before the first was acked, whatever kind it is', async () => {
    const user = fresh('alice');
    const alice = await member(pod, fresh(), user);
    for (const kind of [{}, { ephemeral: true }, { to: user }]) {
      const frame = { event: JSON.stringify(kind), data: 1, ...kind, ref: JSON.stringify(kind) };
      for (let n = 0; n < 5; n += 1) alice.send(frame);
      const acks = [];
      for (let n = 0; n < 5; n += 1) acks.push(await alice.next({ type: 'ack', ref: frame.ref }));
      expect(new Set(acks.map(({ id }) => id)).size).toBe(1);
      expect(alice.all({ type: 'chat', event: frame.event })).toHaveLength(1);
    }
  });

  test('on another connection at the same time, and on one that comes later', async () => {
    const room = fresh();
    const user = fresh('alice');
    const bob = await member(pod, room, 'bob');
    const [one, two] = [await guest(pod, user), await guest(pod, user)];
    const frame = { type: 'chat', room, data: 'once' };
    const ids = await Promise.all([published(one, frame, 'same'), published(two, frame, 'same')]);
    await one.close(1000);
    await two.terminate();
    ids.push(await published(await guest(pod, user), frame, 'same'));
    expect(new Set(ids).size).toBe(1);
    await published(await guest(pod), { type: 'chat', room, data: 'marker' });
    await bob.next({ data: 'marker' });
    expect(bob.all({ data: 'once' })).toHaveLength(1);
  });

  test('and is in the history once', async () => {
    const room = fresh();
    const alice = await guest(pod, fresh('alice'));
    await published(alice, { type: 'chat', room, data: 1 }, 'same');
    await published(alice, { type: 'chat', room, data: 2 }, 'same');
    const late = await guest(pod);
    expect(await join(late, room, { history: 10 })).toMatchObject({ data: { replayed: 1 } });
  });

  test('when it is ephemeral', async () => {
    const room = fresh();
    const user = fresh('alice');
    const bob = await member(pod, room, 'bob');
    const [one, two] = [await guest(pod, user), await guest(pod, user)];
    const frame = { type: 'chat', room, data: 'typing', ephemeral: true };
    expect(await published(one, frame, 'same')).toBe(await published(two, frame, 'same'));
    await published(one, { ...frame, data: 'marker' });
    await bob.next({ data: 'marker' });
    expect(bob.all({ data: 'typing' })).toHaveLength(1);
  });

  test('when it is ephemeral the first time and kept the second', async () => {
    const room = fresh();
    const alice = await member(pod, room, fresh('alice'));
    const first = await published(alice, { type: 'chat', room, data: 1, ephemeral: true }, 'same');
    expect(await published(alice, { type: 'chat', room, data: 2 }, 'same')).toBe(first);
    await published(alice, { type: 'chat', room, data: 'marker' });
    await alice.next({ data: 'marker' });
    expect(alice.all({ data: 2 })).toEqual([]);
  });

  test('in both dialects together', async () => {
    const room = fresh();
    const user = fresh('alice');
    const bob = await member(pod, room, 'bob');
    const speaker = await guest(pod, user);
    const listener = await namedListener(pod, room, user, ['broadcast']);
    const first = await published(speaker, { type: 'chat', room, data: 'once' }, 'same');
    const again = { type: 'broadcast', channel: room, event: 'e', payload: 'twice' };
    expect(await published(listener, again, 'same')).toBe(first);
    await published(listener, { ...again, payload: 'marker' });
    await bob.next({ data: 'marker' });
    expect(bob.all({ data: 'twice' })).toEqual([]);
  });

  test('when it is a direct message: all of them are one room', async () => {
    const [user, bob, carol] = [fresh('alice'), fresh('bob'), fresh('carol')];
    const [one, two] = [await guest(pod, user), await guest(pod, user)];
    const [toBob, toCarol] = [await guest(pod, bob), await guest(pod, carol)];
    const first = await published(one, { to: bob, data: 1 }, 'same');
    expect(await published(two, { to: bob, data: 2 }, 'same')).toBe(first);
    expect(await published(two, { to: carol, data: 3 }, 'same')).toBe(first);
    await published(two, { to: bob, data: 'marker' });
    await published(two, { to: carol, data: 'marker' });
    await toBob.next({ data: 'marker' });
    await toCarol.next({ data: 'marker' });
    expect(toBob.all({ type: 'chat' }).map(({ data }) => data)).toEqual([1, 'marker']);
    expect(toCarol.all({ type: 'chat' }).map(({ data }) => data)).toEqual(['marker']);
  });

  test('when it is a global broadcast', async () => {
    const user = fresh('alice');
    const [one, two] = [await guest(pod, user), await guest(pod, user)];
    const bob = await guest(pod);
    const first = await published(one, { event: 'global', data: 1 }, 'same');
    expect(await published(two, { event: 'global', data: 2 }, 'same')).toBe(first);
    await published(two, { event: 'global', data: 'marker' });
    await bob.next({ event: 'global', data: 'marker' });
    expect(bob.all({ event: 'global' }).map(({ data }) => data)).toEqual([1, 'marker']);
  });
});

describe('The same ref is another publication', () => {
  test('in another room, and as a direct or global message', async () => {
    const [room, other] = [fresh(), fresh()];
    const user = fresh('alice');
    const alice = await guest(pod, user);
    const ids = [
      await published(alice, { room, data: 1 }, 'same'),
      await published(alice, { room: other, data: 1 }, 'same'),
      await published(alice, { to: user, data: 1 }, 'same'),
      await published(alice, { data: 1 }, 'same'),
    ];
    expect(new Set(ids).size).toBe(4);
  });

  test('of another user', async () => {
    const room = fresh();
    const alice = await member(pod, room, fresh('alice'));
    const bob = await member(pod, room, fresh('bob'));
    await published(alice, { room, data: 1 }, 'same');
    await published(bob, { room, data: 2 }, 'same');
    await alice.next({ data: 1 });
    await alice.next({ data: 2 });
  });

  test('of another connection where no user is known', async () => {
    const room = fresh();
    const bob = await member(pod, room, 'bob');
    const [one, two] = [await guest(pod), await guest(pod)];
    await published(one, { room, data: 1 }, 'same');
    await published(two, { room, data: 2 }, 'same');
    await bob.next({ data: 1 });
    await bob.next({ data: 2 });
  });

  test('when its case or a space differs', async () => {
    const room = fresh();
    const alice = await guest(pod, fresh('alice'));
    const ids = ['ref', 'REF', 'ref ', 're f'].map((ref) => published(alice, { room, data: 1 }, ref));
    expect(new Set(await Promise.all(ids)).size).toBe(4);
  });
});

test('Where no user is known a ref holds for its connection', async () => {
  const room = fresh();
  const bob = await member(pod, room, 'bob');
  const alice = await guest(pod);
  const first = await published(alice, { room, data: 1 }, 'same');
  expect(await published(alice, { room, data: 2 }, 'same')).toBe(first);
  await published(alice, { room, data: 'marker' });
  await bob.next({ data: 'marker' });
  expect(bob.all({ data: 2 })).toEqual([]);
});

test('Messages without a ref are never taken for the same', async () => {
  const room = fresh();
  const alice = await member(pod, room, 'alice');
  alice.send({ room, data: 'twin' });
  alice.send({ room, data: 'twin' });
  await alice.next({ data: 'twin' });
  await alice.next({ data: 'twin' });
});

test('The ref of a refused message may be used again', async () => {
  const room = fresh();
  const alice = await member(pod, room, fresh('alice'));
  alice.send({ room: '-', data: 1, ref: 'same' });
  await alice.next({ type: 'error', ref: 'same' });
  await published(alice, { room, data: 'accepted' }, 'same');
  await alice.next({ data: 'accepted' });
  await settled(alice);
});
