import { afterAll, describe, expect, test } from 'vitest';
import { startPod } from '../support/pod.ts';
import { open } from '../support/client.ts';
import { fresh, guest, join, member, numbered, numbers, published, range, settled } from './people.ts';

const pod = await startPod();
const forgetful = await startPod({ HISTORY_SIZE: '0' });
afterAll(() => Promise.all([pod.stop(), forgetful.stop()]));

describe('An ephemeral message', () => {
  test('is delivered as such to all members, its sender too', async () => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    const bob = await member(pod, room, 'bob');
    const id = await published(alice, { type: 'chat', room, event: 'typing', data: 1, ephemeral: true });
    const seen = { type: 'chat', id, room, from: 'alice', event: 'typing', data: 1, ephemeral: true };
    await alice.next(seen);
    await bob.next(seen);
  });

  test('is not in the history, and its id is no position', async () => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    await numbered(alice, room, 1, 1);
    const id = await published(alice, { type: 'chat', room, data: { n: 'typing' }, ephemeral: true });
    await numbered(alice, room, 2, 2);
    const late = await guest(pod);
    await join(late, room, { history: 10 });
    await late.next({ type: 'chat', data: { n: 2 } });
    expect(numbers(late, room)).toEqual([1, 2]);
    const joined = await join(await guest(pod), room, { last_id: id });
    expect(joined).toMatchObject({ data: { recovered: false, reason: 'unknown_position', replayed: 2 } });
  });

  test('does not disturb the recovery from a position before it', async () => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    const [position] = await numbered(alice, room, 1, 1);
    await published(alice, { type: 'chat', room, data: 'typing', ephemeral: true });
    const joined = await join(await guest(pod), room, { last_id: position });
    expect(joined).toMatchObject({ data: { recovered: true, replayed: 0 } });
  });

  test('says so only if it is one: ephemeral false is the same as absent', async () => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    const id = await published(alice, { type: 'chat', room, data: 'kept', ephemeral: false });
    expect(await alice.next({ data: 'kept' })).not.toHaveProperty('ephemeral');
    const joined = await join(await guest(pod), room, { last_id: id });
    expect(joined).toMatchObject({ data: { recovered: true } });
  });
});

describe('With HISTORY_SIZE=0', () => {
  test('every message is ephemeral and says so', async () => {
    const room = fresh();
    const alice = await member(forgetful, room, 'alice');
    const bob = await member(forgetful, room, 'bob');
    const id = await published(alice, { type: 'chat', room, data: 1 });
    expect(await bob.next({ data: 1 })).toMatchObject({ id, room, from: 'alice', ephemeral: true });
  });

  test('nothing is replayed to those who come later', async () => {
    const room = fresh();
    const alice = await member(forgetful, room, 'alice');
    await numbered(alice, room, 1, 3);
    const late = await open(forgetful, `/ws/${room}?history=10`);
    expect(await late.next({ event: 'joined' })).toMatchObject({ data: { replayed: 0 } });
    await settled(late);
    expect(numbers(late, room)).toEqual([]);
  });

  test('members still get every message in the order of its sender', async () => {
    const room = fresh();
    const alice = await member(forgetful, room, 'alice');
    const bob = await member(forgetful, room, 'bob');
    for (const n of range(1, 50)) alice.send({ room, data: { n } });
    await bob.next({ data: { n: 50 } });
    expect(numbers(bob, room)).toEqual(range(1, 50));
  });
});
