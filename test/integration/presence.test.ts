import { afterAll, describe, expect, test } from 'vitest';
import { startPod } from '../support/pod.ts';
import { type Client, type Frame, open, part } from '../support/client.ts';
import { connections, fresh, guest, join, member, published, settled } from './people.ts';

// An hour of grace: what these tests see at once, they do not see because the grace was over.
const pod = await startPod({ PRESENCE_GRACE_SECONDS: '3600' });
afterAll(() => pod.stop());

const online = (user: string): Frame => ({ type: 'presence', from: user, data: { status: 'online' } });
const away = (user: string): Frame => ({ type: 'presence', from: user, data: { status: 'away' } });
const offline = (user: string): Frame => ({ type: 'presence', from: user, data: { status: 'offline' } });

/** Who is present, as a newcomer that is not present itself is told; by name. */
async function rows(room: string): Promise<Record<string, Frame>> {
  const client = await guest(pod, fresh('observer'));
  const { members } = part(await join(client, room), 'data') as { members: Frame[] };
  await client.close(1000);
  const others = members.filter(({ user_id: user }) => !String(user).startsWith('observer'));
  return Object.fromEntries(others.map((row) => [String(row['user_id']), row]));
}

/** Everything that `client` was told of the user's presence, before this marker. */
async function toldOf(client: Client, user: string, room: string): Promise<unknown[]> {
  const marker = fresh('marker');
  await published(await guest(pod), { room, data: marker });
  await client.next({ data: marker });
  return client.all({ type: 'presence', from: user }).map((frame) => part(frame, 'data')['status']);
}

describe('A member of a room', () => {
  test('is announced to the others when it comes, and not to itself', async () => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    const bob = await member(pod, room, 'bob');
    expect(await alice.next({ type: 'presence' })).toMatchObject({
      type: 'presence',
      room,
      from: 'bob',
      data: { user_id: 'bob', status: 'online', meta: {} },
    });
    expect(await toldOf(bob, 'bob', room)).toEqual([]);
    expect(await toldOf(alice, 'alice', room)).toEqual([]);
  });

  test('is listed to those who come later', async () => {
    const room = fresh();
    await member(pod, room, 'alice');
    await member(pod, room, 'bob');
    const now = Date.now() / 1000;
    const listed = await rows(room);
    expect(Object.keys(listed).toSorted()).toEqual(['alice', 'bob']);
    expect(listed['alice']).toEqual({
      user_id: 'alice',
      status: 'online',
      meta: {},
      updated_at: expect.any(Number),
    });
    // Seconds, not milliseconds.
    expect(Number(listed['alice']?.['updated_at'])).toBeLessThan(now + 60);
    expect(Number.isInteger(listed['alice']?.['updated_at'])).toBe(true);
  });

  test('is announced as offline at once when it leaves', async () => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    const bob = await member(pod, room, 'bob');
    bob.send({ type: 'leave', room });
    expect(await alice.next(offline('bob'))).toMatchObject({ room, data: { user_id: 'bob' } });
    expect(Object.keys(await rows(room))).toEqual(['alice']);
  });

  test('is announced as offline at once when it closes with 1000', async () => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    const bob = await member(pod, room, 'bob');
    await bob.close(1000);
    await alice.next(offline('bob'));
    expect(Object.keys(await rows(room))).toEqual(['alice']);
  });

  test('is announced in each of its rooms', async () => {
    const [one, two] = [fresh(), fresh()];
    const alice = await member(pod, one, 'alice');
    await join(alice, two);
    const bob = await member(pod, one, 'bob');
    await join(bob, two);
    await alice.next({ ...online('bob'), room: one });
    await alice.next({ ...online('bob'), room: two });
    bob.send({ type: 'leave', room: one });
    await alice.next({ ...offline('bob'), room: one });
    expect(Object.keys(await rows(two)).toSorted()).toEqual(['alice', 'bob']);
    await bob.close(1000);
    await alice.next({ ...offline('bob'), room: two });
  });

  test('is nowhere announced for publishing to a room', async () => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    await published(await guest(pod, 'eve'), { room, data: 1 });
    expect(await toldOf(alice, 'eve', room)).toEqual([]);
    expect(Object.keys(await rows(room))).toEqual(['alice']);
  });
});

describe('A user with two connections', () => {
  test('is one member, who comes with the first and goes with the last', async () => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    const one = await member(pod, room, 'bob');
    const two = await member(pod, room, 'bob');
    const joined = part(two.all({ event: 'joined' })[0] ?? {}, 'data') as { members: Frame[] };
    expect(joined).toMatchObject({ count: 2 });
    expect(joined.members).toHaveLength(2);
    await one.close(1000);
    two.send({ data: 'still here' });
    await alice.next({ data: 'still here' });
    expect(await toldOf(alice, 'bob', room)).toEqual(['online']);
    expect(Object.keys(await rows(room)).toSorted()).toEqual(['alice', 'bob']);
    await two.close(1000);
    await alice.next(offline('bob'));
    expect(await toldOf(alice, 'bob', room)).toEqual(['online', 'offline']);
  });

  test('goes with a leave of the last one, too', async () => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    const [one, two] = [await member(pod, room, 'bob'), await member(pod, room, 'bob')];
    one.send({ type: 'leave', room });
    await one.next({ event: 'left' });
    expect(await toldOf(alice, 'bob', room)).toEqual(['online']);
    two.send({ type: 'leave', room });
    await alice.next(offline('bob'));
  });

  test('has the status and meta that were said last', async () => {
    const room = fresh();
    const [one, two] = [await member(pod, room, 'bob'), await member(pod, room, 'bob')];
    one.send({ type: 'presence', room, data: { status: 'away', meta: { by: 1 } }, ref: 'p' });
    await one.next({ type: 'ack', ref: 'p' });
    two.send({ type: 'presence', room, data: { status: 'online', meta: { by: 2 } }, ref: 'p' });
    await two.next({ type: 'ack', ref: 'p' });
    expect(await rows(room)).toMatchObject({ bob: { status: 'online', meta: { by: 2 } } });
  });

  test('stays visible when one of them says offline, and goes when both have', async () => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    const [one, two] = [await member(pod, room, 'bob'), await member(pod, room, 'bob')];
    one.send({ type: 'presence', room, data: { status: 'offline' }, ref: 'p' });
    await one.next({ type: 'ack', ref: 'p' });
    expect(await toldOf(alice, 'bob', room)).toEqual(['online']);
    expect(Object.keys(await rows(room)).toSorted()).toEqual(['alice', 'bob']);
    two.send({ type: 'presence', room, data: { status: 'offline' } });
    await alice.next(offline('bob'));
    expect(Object.keys(await rows(room))).toEqual(['alice']);
  });
});

describe('A presence frame', () => {
  test('away with meta is told to the others and listed', async () => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    const bob = await member(pod, room, 'bob');
    const data = { status: 'away', meta: { mood: 'lunch', until: [12, 30] } };
    bob.send({ type: 'presence', room, data });
    expect(await alice.next(away('bob'))).toMatchObject({ room, data: { user_id: 'bob', ...data } });
    expect(await rows(room)).toMatchObject({ bob: data });
  });

  test('applies to the room of the address where it names none, and to data.room', async () => {
    const [room, other] = [fresh(), fresh()];
    const alice = await member(pod, room, 'alice');
    await join(alice, other);
    const bob = await member(pod, room, 'bob');
    await join(bob, other);
    bob.send({ type: 'presence', data: { status: 'away' } });
    await alice.next({ ...away('bob'), room });
    bob.send({ type: 'presence', data: { status: 'away', room: other } });
    await alice.next({ ...away('bob'), room: other });
  });

  test('is acked if it has a ref', async () => {
    const room = fresh();
    const bob = await member(pod, room, 'bob');
    bob.send({ type: 'presence', room, data: { status: 'away' }, ref: 'p1' });
    expect(await bob.next({ type: 'ack' })).toMatchObject({ ref: 'p1', room });
  });

  test('offline hides the user, who goes on hearing the room, and online shows it again', async () => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    const bob = await member(pod, room, 'bob');
    bob.send({ type: 'presence', room, data: { status: 'offline' } });
    await alice.next(offline('bob'));
    expect(Object.keys(await rows(room))).toEqual(['alice']);
    await published(alice, { room, data: 'heard' });
    await bob.next({ data: 'heard' });
    bob.send({ type: 'presence', room, data: { status: 'online' } });
    await alice.next(online('bob'));
    await alice.next(online('bob'));
    expect(await rows(room)).toMatchObject({ bob: { status: 'online' } });
  });

  test('of a hidden user who then goes announces nothing more', async () => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    const bob = await member(pod, room, 'bob');
    bob.send({ type: 'presence', room, data: { status: 'offline' } });
    await alice.next(offline('bob'));
    bob.send({ type: 'leave', room });
    await bob.next({ event: 'left', room });
    expect(await toldOf(alice, 'bob', room)).toEqual(['online', 'offline']);
  });

  test('cannot speak for another user', async () => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    const bob = await member(pod, room, 'bob');
    bob.send({ type: 'presence', room, from: 'alice', data: { status: 'away', user_id: 'alice' } });
    await alice.next(away('bob'));
    expect(await rows(room)).toMatchObject({ alice: { status: 'online' }, bob: { status: 'away' } });
  });
});

describe('A connection that is lost', () => {
  test.each([
    ['by a broken line', (client: Client) => client.terminate()],
    ['by a close with 1001, as a closed tab does', (client: Client) => client.close(1001)],
    ['by a close without a code', (client: Client) => client.close()],
    ['by a close with 3000', (client: Client) => client.close(3000)],
  ])('%s is still present within the grace', async (_, lose) => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    const bob = await member(pod, room, 'bob');
    await lose(bob);
    await connections(pod, 1);
    expect(await toldOf(alice, 'bob', room)).toEqual(['online']);
    expect(Object.keys(await rows(room)).toSorted()).toEqual(['alice', 'bob']);
  });

  test('and returns within the grace is neither announced as gone nor as come, and keeps its meta', async () => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    const bob = await member(pod, room, 'bob');
    bob.send({ type: 'presence', room, data: { status: 'away', meta: { a: 1 } } });
    await alice.next(away('bob'));
    await bob.terminate();
    await connections(pod, 1);
    const back = await member(pod, room, 'bob');
    await settled(back);
    expect(await toldOf(alice, 'bob', room)).toEqual(['online', 'away']);
    expect(await rows(room)).toMatchObject({ bob: { meta: { a: 1 } } });
  });

  test('and resumes and then leaves is announced as gone at once', async () => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    const bob = await member(pod, room, 'bob');
    const id = await published(bob, { room, data: 'last' });
    await bob.terminate();
    await connections(pod, 1);
    const back = await open(pod, `/ws/${room}?user_id=bob&last_id=${id}`);
    await back.next({ event: 'joined' });
    await back.close(1000);
    await alice.next(offline('bob'));
  });

  test('is awaited whatever another tab of its user does meanwhile', async () => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    await (await member(pod, room, 'bob')).terminate();
    await connections(pod, 1);
    await (await member(pod, room, 'bob')).close(1000);
    const other = await member(pod, room, 'bob');
    other.send({ type: 'leave', room });
    await other.next({ event: 'left' });
    expect(await toldOf(alice, 'bob', room)).toEqual(['online']);
  });
});
