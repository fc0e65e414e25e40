import { afterAll, describe, expect, test } from 'vitest';
import { type Pod, startPod } from '../support/pod.ts';
import { type Client, open, part, until } from '../support/client.ts';
import { fresh, guest, join, member, numbered, numbers, published, range, settled } from './people.ts';

const pod = await startPod({ HISTORY_SIZE: '5' });
const large = await startPod({ HISTORY_SIZE: '1000' });
const brief = await startPod({ HISTORY_TTL_SECONDS: '1' });
afterAll(() => Promise.all([pod.stop(), large.stop(), brief.stop()]));

/** Joins both ways, by a frame and by the address; gives what `joined` says and the messages that follow. */
async function resume(
  from: Pod,
  room: string,
  asked: { last_id?: string; history?: number },
): Promise<{ answer: unknown; replayed: unknown[] }> {
  const byFrame = await guest(from);
  const answer = part(await join(byFrame, room, asked), 'data');
  await settled(byFrame);
  const query = Object.entries(asked).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  const byAddress = await open(from, `/ws/${room}?${query.join('&')}`);
  const { members: _, count: __, ...same } = part(await byAddress.next({ event: 'joined', room }), 'data');
  await settled(byAddress);
  expect(answer).toMatchObject(same);
  expect(numbers(byAddress, room)).toEqual(numbers(byFrame, room));
  // What a client moves its position by must be what came: joined, then the replayed ones.
  expect(indexOf(byFrame, 'joined')).toBeLessThan(indexOf(byFrame, 'chat'));
  return { answer, replayed: numbers(byFrame, room) };
}

function indexOf(client: Client, what: string): number {
  const index = client.frames.findIndex(({ type, event }) => (event ?? type) === what);
  return index === -1 ? Number.POSITIVE_INFINITY : index;
}

function positionOf(joined: Record<string, unknown>): string {
  return String(part(joined, 'data')['position']);
}

describe('A client that comes back with its last_id', () => {
  test('gets what it missed, in order', async () => {
    const room = fresh();
    const ids = await numbered(await guest(pod), room, 1, 5);
    const { answer, replayed } = await resume(pod, room, { last_id: ids[1] ?? '' });
    expect(answer).toMatchObject({ recovered: true, replayed: 3, position: ids[4] });
    expect(answer).not.toHaveProperty('reason');
    expect(replayed).toEqual([3, 4, 5]);
  });

  test('is told that it missed nothing when nothing came', async () => {
    const room = fresh();
    const ids = await numbered(await guest(pod), room, 1, 3);
    const { answer, replayed } = await resume(pod, room, { last_id: ids[2] ?? '' });
    expect(answer).toMatchObject({ recovered: true, replayed: 0, position: ids[2] });
    expect(replayed).toEqual([]);
  });

  test('may take the position of joined in an empty room for it', async () => {
    const room = fresh();
    const first = await guest(pod);
    const position = positionOf(await join(first, room));
    await first.close(1000);
    expect((await resume(pod, room, { last_id: position })).answer).toMatchObject({
      recovered: true,
      replayed: 0,
    });
    await numbered(await guest(pod), room, 1, 2);
    const { answer, replayed } = await resume(pod, room, { last_id: position });
    expect(answer).toMatchObject({ recovered: true, replayed: 2 });
    expect(replayed).toEqual([1, 2]);
  });

  test('gets replayed messages exactly as they were delivered live', async () => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    const position = positionOf(alice.all({ event: 'joined' })[0] ?? {});
    await published(alice, { type: 'notification', room, event: 'e', data: { a: [1] } });
    const late = await guest(pod);
    await join(late, room, { last_id: position });
    expect(await late.next({ type: 'notification' })).toEqual(await alice.next({ type: 'notification' }));
  });

  test('hears the room live after what was replayed', async () => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    const [position = ''] = await numbered(alice, room, 1, 3);
    const late = await guest(pod);
    await join(late, room, { last_id: position });
    await numbered(alice, room, 4, 4);
    await late.next({ data: { n: 4 } });
    expect(numbers(late, room)).toEqual([2, 3, 4]);
  });

  test('gets the whole rest in order without a gap while others go on publishing', async () => {
    const room = fresh();
    const alice = await member(large, room, 'alice');
    const [position = ''] = await numbered(alice, room, 1, 1);
    const late = await Promise.all(range(1, 10).map(() => guest(large)));
    for (const n of range(2, 500)) {
      alice.send({ room, data: { n } });
      if (n % 50 === 0) {
        const client = late[n / 50 - 1];
        client?.send({ type: 'join', room, last_id: position });
        // Gives the server a chance to read the join in the middle of the messages.
        await client?.next({ event: 'joined' });
      }
    }
    for (const client of late) {
      await client.next({ data: { n: 500 } });
      expect(numbers(client, room)).toEqual(range(2, 500));
      expect(client.frames.map(({ event }) => event).indexOf('joined')).toBe(1);
    }
  });
});

describe('A client that cannot get all it missed', () => {
  test('is told trimmed and gets all that is kept', async () => {
    const room = fresh();
    const ids = await numbered(await guest(pod), room, 1, 12);
    const { answer, replayed } = await resume(pod, room, { last_id: ids[0] ?? '' });
    expect(answer).toMatchObject({ recovered: false, reason: 'trimmed', replayed: 5 });
    expect(replayed).toEqual(range(8, 12));
  });

  test('is told trimmed from the empty room on, too', async () => {
    const room = fresh();
    const position = positionOf(await join(await guest(pod), room));
    await numbered(await guest(pod), room, 1, 6);
    const { answer, replayed } = await resume(pod, room, { last_id: position });
    expect(answer).toMatchObject({ recovered: false, reason: 'trimmed', replayed: 5 });
    expect(replayed).toEqual(range(2, 6));
  });

  test('is not told trimmed at a position that is gone but whose successors are all kept', async () => {
    const room = fresh();
    const ids = await numbered(await guest(pod), room, 1, 6);
    const { answer, replayed } = await resume(pod, room, { last_id: ids[0] ?? '' });
    expect(answer).toMatchObject({ recovered: true, replayed: 5 });
    expect(replayed).toEqual(range(2, 6));
  });

  test('is told unknown_position for what is no position', async () => {
    const room = fresh();
    const [id = ''] = await numbered(await guest(pod), room, 1, 2);
    for (const last of ['0', 'nonsense', ' ', '"', '0-0', `${id}0`, `${id}x`, 'é'.repeat(500)]) {
      const { answer, replayed } = await resume(pod, room, { last_id: last });
      expect(answer).toMatchObject({ recovered: false, reason: 'unknown_position', replayed: 2 });
      expect(replayed).toEqual([1, 2]);
    }
  });

  test('is told history_lost for a position of another pod', async () => {
    const room = fresh();
    const [elsewhere = ''] = await numbered(await guest(large), room, 1, 1);
    await numbered(await guest(pod), room, 1, 2);
    const { answer, replayed } = await resume(pod, room, { last_id: elsewhere });
    expect(answer).toMatchObject({ recovered: false, reason: 'history_lost', replayed: 2 });
    expect(replayed).toEqual([1, 2]);
  });

  test('is told history_lost in an empty room as well', async () => {
    const position = positionOf(await join(await guest(large), fresh()));
    const { answer } = await resume(pod, fresh(), { last_id: position });
    expect(answer).toMatchObject({ recovered: false, reason: 'history_lost', replayed: 0 });
  });

  test('is told history_lost after the pod was restarted, in an empty room as well', async () => {
    const before = await startPod();
    const room = fresh();
    const [id = ''] = await numbered(await guest(before), room, 1, 1);
    const position = positionOf(await join(await guest(before), 'empty'));
    await before.stop();
    const after = await startPod(before.ports);
    try {
      expect((await resume(after, room, { last_id: id })).answer).toMatchObject({
        recovered: false,
        reason: 'history_lost',
      });
      expect((await resume(after, 'empty', { last_id: position })).answer).toMatchObject({
        recovered: false,
        reason: 'history_lost',
      });
    } finally {
      await after.stop();
    }
  });
});

describe('A position that never was in the room is unknown_position:', () => {
  test('one of another room that is later than all in this one', async () => {
    const [room, other] = [fresh(), fresh()];
    const alice = await guest(pod);
    await numbered(alice, room, 1, 2);
    const [position = ''] = await numbered(alice, other, 1, 1);
    const { answer } = await resume(pod, room, { last_id: position });
    expect(answer).toMatchObject({ recovered: false, reason: 'unknown_position', replayed: 2 });
  });

  test('one of another room that lies between two in this one', async () => {
    const [room, other] = [fresh(), fresh()];
    const alice = await guest(pod);
    await numbered(alice, room, 1, 1);
    const [position = ''] = await numbered(alice, other, 1, 1);
    await numbered(alice, room, 2, 2);
    const { answer } = await resume(pod, room, { last_id: position });
    expect(answer).toMatchObject({ recovered: false, reason: 'unknown_position', replayed: 2 });
  });

  test('one of another room that is earlier than all in this one', async () => {
    const [room, other] = [fresh(), fresh()];
    const alice = await guest(pod);
    const [position = ''] = await numbered(alice, other, 1, 1);
    await numbered(alice, room, 1, 2);
    const { answer } = await resume(pod, room, { last_id: position });
    expect(answer).toMatchObject({ recovered: false, reason: 'unknown_position', replayed: 2 });
  });
});

describe('Messages that have outlived HISTORY_TTL_SECONDS', () => {
  test('are gone: their predecessors are trimmed, and only the newest position still recovers', async () => {
    const room = fresh();
    const ids = await numbered(await guest(brief), room, 1, 3);
    await until('the messages to be gone', async () => {
      const joined = await join(await guest(brief), room, { history: 10 });
      return part(joined, 'data')['replayed'] === 0;
    });
    expect((await resume(brief, room, { last_id: ids[0] ?? '' })).answer).toMatchObject({
      recovered: false,
      reason: 'trimmed',
      replayed: 0,
    });
    expect((await resume(brief, room, { last_id: ids[2] ?? '' })).answer).toMatchObject({
      recovered: true,
      replayed: 0,
      position: ids[2],
    });
  });
});

describe('A client that asks for history', () => {
  test.each([
    [0, []],
    [1, [7]],
    [3, [5, 6, 7]],
    [5, [3, 4, 5, 6, 7]],
    [6, [3, 4, 5, 6, 7]],
    [1_000_000, [3, 4, 5, 6, 7]],
  ])('of %d messages gets the newest that are kept, oldest first', async (history, expected) => {
    const room = fresh();
    const ids = await numbered(await guest(pod), room, 1, 7);
    const { answer, replayed } = await resume(pod, room, { history });
    expect(answer).toMatchObject({ replayed: expected.length, position: ids[6] });
    expect(answer).not.toHaveProperty('recovered');
    expect(answer).not.toHaveProperty('reason');
    expect(replayed).toEqual(expected);
  });

  test('in a room where nothing was said gets none', async () => {
    const { answer, replayed } = await resume(pod, fresh(), { history: 10 });
    expect(answer).toMatchObject({ replayed: 0 });
    expect(replayed).toEqual([]);
  });

  test('gets it before anything live and nothing twice while others go on publishing', async () => {
    const room = fresh();
    const alice = await member(large, room, 'alice');
    await numbered(alice, room, 1, 20);
    const late = await guest(large);
    late.send({ type: 'join', room, history: 10 });
    for (const n of range(21, 300)) alice.send({ room, data: { n } });
    await late.next({ data: { n: 300 } });
    const seen = numbers(late, room).map(Number);
    expect(seen).toEqual(range(seen[0] ?? 0, 300));
    const replayed = part(late.all({ event: 'joined' })[0] ?? {}, 'data')['replayed'];
    expect(replayed).toBe(10);
  });
});
