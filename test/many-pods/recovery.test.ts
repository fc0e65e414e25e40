import { describe, expect, test } from 'vitest';
import { aWorld, said } from './world.ts';
import { type Client, open, part, until } from '../support/client.ts';
import {
  fresh,
  guest,
  join,
  member,
  namedListener,
  numbered,
  numbers,
  range,
  settled,
  settledChannel,
} from '../integration/people.ts';
import type { Pod } from '../support/pod.ts';

const here = aWorld({ env: { HISTORY_SIZE: '5' } });

interface Resumed {
  readonly client: Client;
  /** The data of `joined`. */
  readonly answer: Record<string, unknown>;
  /** The numbers of the messages that came after it. */
  readonly replayed: unknown[];
}

async function resume(pod: Pod, room: string, asked: Record<string, unknown>): Promise<Resumed> {
  const client = await guest(pod);
  const answer = part(await join(client, room, asked), 'data');
  await settled(client);
  return { client, answer, replayed: numbers(client, room) };
}

/** The position that a newcomer to the room is told. */
async function positionIn(pod: Pod, room: string): Promise<string> {
  const client = await guest(pod);
  const { position } = part(await join(client, room), 'data');
  await client.close(1000);
  return String(position);
}

describe('A client that comes back on another pod with its last_id', () => {
  test('gets what it missed, in order, as others had it live, and then hears the room', async () => {
    const room = fresh();
    const alice = await member(here.a, room, 'alice');
    const ids = await numbered(alice, room, 1, 4);
    const { client, answer, replayed } = await resume(here.b, room, { last_id: ids[0] });
    expect(answer).toMatchObject({ recovered: true, replayed: 3, position: ids[3] });
    expect(replayed).toEqual([2, 3, 4]);
    expect(client.all({ type: 'chat' })).toEqual(alice.all({ type: 'chat' }).slice(1));
    await numbered(alice, room, 5, 5);
    await client.next({ data: { n: 5 } });
    expect(numbers(client, room)).toEqual([2, 3, 4, 5]);
  });

  test('may name it in the address, also where nobody else is on that pod', async () => {
    const room = fresh();
    const ids = await numbered(await guest(here.a), room, 1, 3);
    const client = await open(here.b, `/ws/${room}?last_id=${ids[1]}`);
    expect(await client.next({ event: 'joined' })).toMatchObject({ data: { recovered: true, replayed: 1 } });
    await client.next({ type: 'chat', id: ids[2], data: { n: 3 } });
  });

  test('is told that it missed nothing where nothing came', async () => {
    const room = fresh();
    const ids = await numbered(await guest(here.a), room, 1, 2);
    const { answer, replayed } = await resume(here.b, room, { last_id: ids[1] });
    expect(answer).toMatchObject({ recovered: true, replayed: 0, position: ids[1] });
    expect(answer).not.toHaveProperty('reason');
    expect(replayed).toEqual([]);
  });

  test('may have got it in a room where nothing had been said yet', async () => {
    const room = fresh();
    const position = await positionIn(here.a, room);
    expect((await resume(here.b, room, { last_id: position })).answer).toMatchObject({
      recovered: true,
      replayed: 0,
    });
    await numbered(await guest(here.b), room, 1, 2);
    for (const pod of here.pods) {
      const { answer, replayed } = await resume(pod, room, { last_id: position });
      expect(answer).toMatchObject({ recovered: true, replayed: 2 });
      expect(replayed).toEqual([1, 2]);
    }
  });

  test('gets what was published on several pods, in the one order', async () => {
    const room = fresh();
    const [position = ''] = await numbered(await guest(here.a), room, 1, 1);
    const ids = [];
    for (const [n, pod] of [here.b, here.a, here.b].entries())
      ids.push(await said(pod, room, { data: { n } }));
    const { client, answer } = await resume(here.a, room, { last_id: position });
    expect(answer).toMatchObject({ recovered: true, replayed: 3 });
    expect(client.all({ type: 'chat' }).map(({ id }) => id)).toEqual(ids);
  });

  test('in the channel dialect', async () => {
    const channel = fresh();
    const ids = await numbered(await guest(here.a), channel, 1, 3);
    const client = await namedListener(here.b, fresh(), 'zoe', []);
    client.send({ type: 'subscribe', channel, listen: ['broadcast'], last_id: ids[0], ref: 's' });
    expect(await client.next({ ref: 's' })).toMatchObject({
      type: 'subscribed',
      recovered: true,
      replayed: 2,
    });
    await settledChannel(client);
    expect(client.all({ type: 'broadcast', channel }).map(({ id }) => id)).toEqual(ids.slice(1));
  });
});

describe('A client that cannot get all it missed is told on another pod', () => {
  test('trimmed, and gets all that is kept', async () => {
    const room = fresh();
    const ids = await numbered(await guest(here.a), room, 1, 12);
    const { answer, replayed } = await resume(here.b, room, { last_id: ids[0] });
    expect(answer).toMatchObject({ recovered: false, reason: 'trimmed', replayed: 5, position: ids[11] });
    expect(replayed).toEqual(range(8, 12));
    const whole = await resume(here.b, room, { last_id: ids[6] });
    expect(whole.answer).toMatchObject({ recovered: true, replayed: 5 });
  });

  test('trimmed, from the empty room on', async () => {
    const room = fresh();
    const position = await positionIn(here.a, room);
    await numbered(await guest(here.b), room, 1, 6);
    const { answer } = await resume(here.b, room, { last_id: position });
    expect(answer).toMatchObject({ recovered: false, reason: 'trimmed', replayed: 5 });
  });

  test('unknown_position for what is none, and for one of another room', async () => {
    const [room, other] = [fresh(), fresh()];
    const alice = await guest(here.a);
    const [first = ''] = await numbered(alice, room, 1, 1);
    const [elsewhere] = await numbered(alice, other, 1, 1);
    await numbered(alice, room, 2, 2);
    for (const last of ['0', 'nonsense', '"', `${first}0`, elsewhere]) {
      const { answer, replayed } = await resume(here.b, room, { last_id: last });
      expect([last, answer['recovered'], answer['reason']]).toEqual([last, false, 'unknown_position']);
      expect(replayed).toEqual([1, 2]);
    }
  });

  test('expired for a position that is more than a day older than the room', async () => {
    const room = fresh();
    const position = await positionIn(here.a, room);
    // What a client has that was away for two days (docs/adr/0001).
    const ms = /\d{13}/.exec(position)?.[0] ?? '';
    const old = position.replace(ms, String(Number(ms) - 172_800_000));
    expect(old).not.toBe(position);
    await numbered(await guest(here.a), room, 1, 1);
    for (const pod of here.pods) {
      const { answer, replayed } = await resume(pod, room, { last_id: old });
      expect(answer).toMatchObject({ recovered: false, reason: 'expired', replayed: 1 });
      expect(replayed).toEqual([1]);
    }
  });
});

test('Messages that have outlived HISTORY_TTL_SECONDS are trimmed, but the newest position is known', async () => {
  const env = { REDIS_PREFIX: 'brief:', HISTORY_TTL_SECONDS: '1' };
  const [one, two] = [await here.pod(env), await here.pod(env)];
  const room = fresh();
  const ids = await numbered(await guest(one), room, 1, 3);
  await until('the messages to be gone', async () => {
    const { answer } = await resume(two, room, { history: 10 });
    return answer['replayed'] === 0;
  });
  const first = await resume(two, room, { last_id: ids[0] });
  expect(first.answer).toMatchObject({ recovered: false, reason: 'trimmed', replayed: 0 });
  const last = await resume(two, room, { last_id: ids[2] });
  expect(last.answer).toMatchObject({ recovered: true, replayed: 0, position: ids[2] });
});
