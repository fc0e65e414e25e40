import { describe, expect, test } from 'vitest';
import { aWorld, at, get } from './world.ts';
import { fresh, guest, join, member, numbered, numbers, settled } from '../integration/people.ts';
import { part } from '../support/client.ts';

const here = aWorld({ env: { HISTORY_SIZE: '5' } });

describe('History of what was published on another pod', () => {
  test.each([
    [1, [7]],
    [3, [5, 6, 7]],
    [1_000, [3, 4, 5, 6, 7]],
  ])('brings the newest %d messages that are kept, oldest first', async (history, expected) => {
    const room = fresh();
    const ids = await numbered(await guest(here.a), room, 1, 7);
    const client = await guest(here.b);
    const answer = part(await join(client, room, { history }), 'data');
    await settled(client);
    expect(answer).toMatchObject({ replayed: expected.length, position: ids[6] });
    expect(answer).not.toHaveProperty('recovered');
    expect(numbers(client, room)).toEqual(expected);
  });

  test('is read over HTTP page by page, on whichever pod', async () => {
    const room = fresh();
    const alice = await member(here.a, room, 'alice');
    const ids = await numbered(alice, room, 1, 5);
    const path = `/api/rooms/${room}/history`;
    const first = await get(here.b, `${path}?after=${ids[0]}&limit=2`);
    expect(first.body).toEqual({
      room,
      messages: alice.all({ type: 'chat' }).slice(1, 3),
      position: ids[2],
      more: true,
      recovered: true,
    });
    const rest = await get(here.a, `${path}?after=${String(first.body['position'])}`);
    expect(rest.body).toMatchObject({
      messages: [{ id: ids[3] }, { id: ids[4] }],
      position: ids[4],
      more: false,
      recovered: true,
    });
    const newest = await get(here.b, `${path}?limit=1`);
    expect(newest.body).toMatchObject({ messages: [{ id: at(ids, -1) }], position: ids[4] });
  });
});
