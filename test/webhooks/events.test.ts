import { ALL, bench, change, SECRET } from './bench.ts';
import { describe, expect, test } from 'vitest';
import { createHmac } from 'node:crypto';
import { destinationOf } from '../../src/webhooks/post.ts';
import { startReceiver } from './receiver.ts';
import { until } from '../support/client.ts';

describe('The posted body', () => {
  test('the first member occupies a room, the last one vacates it; updates are not posted', async () => {
    const { origin, deliveries } = await startReceiver();
    const { webhooks, clock, join, leave, post } = bench(`${origin}/hook`);
    join('alice', 1);
    webhooks.changed('r', change('update', 'alice', 1), ALL);
    join('bob', 2);
    clock.advance(10);
    leave('alice', 1);
    leave('bob', 0);
    post();
    const { events } = await deliveries.take();
    const [first, later] = ['2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.010Z'];
    expect(events).toEqual([
      { id: 'e1', type: 'room_occupied', room: 'r', timestamp: first },
      { id: 'e2', type: 'member_joined', room: 'r', user_id: 'alice', timestamp: first },
      { id: 'e3', type: 'member_joined', room: 'r', user_id: 'bob', timestamp: first },
      { id: 'e4', type: 'member_left', room: 'r', user_id: 'alice', timestamp: later },
      { id: 'e5', type: 'member_left', room: 'r', user_id: 'bob', timestamp: later },
      { id: 'e6', type: 'room_vacated', room: 'r', timestamp: later },
    ]);
  });

  test.each([
    [[], []],
    [['member_joined'], ['member_joined', 'member_joined']],
    [
      ['room_occupied', 'room_vacated', 'message'],
      ['room_occupied', 'room_vacated'],
    ],
  ] as const)('with the rule %j has only the events of the rule', async (rule, types) => {
    const { origin, deliveries } = await startReceiver();
    const { webhooks, leave, post } = bench(origin);
    for (const one of [change('join', 'ann', 1), change('join', 'bob', 2), change('leave', 'bob', 0)])
      webhooks.changed('r', one, new Set(rule));
    leave('end');
    post();
    const { events } = await deliveries.take();
    expect(events.map(({ type }) => type)).toEqual([...types, 'member_left']);
  });

  test('is JSON, signed with the time and the secret', async () => {
    const { origin, deliveries } = await startReceiver();
    const { join, post } = bench(`${origin}/hook?key=k`);
    join('Ælfgifu "the" 王');
    post();
    const { headers, path, body, events } = await deliveries.take();
    const signature = createHmac('sha256', SECRET).update(`1767225600.${body}`).digest('hex');
    expect(path).toBe('/hook?key=k');
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'x-crosspod-timestamp': '1767225600',
      'x-crosspod-signature': `sha256=${signature}`,
    });
    expect(events).toMatchObject([{ user_id: 'Ælfgifu "the" 王' }]);
  });

  test('carries the credentials of the address as basic authentication', async () => {
    const { origin, deliveries } = await startReceiver();
    const { join, post, webhooks, figures } = bench(`${origin.replace('//', '//me:p%40ss@')}/hook`);
    join('alice');
    post();
    const delivery = await deliveries.take();
    const credentials = Buffer.from('me:p@ss').toString('base64');
    expect(delivery.headers).toMatchObject({ authorization: `Basic ${credentials}` });
    delivery.answer(204);
    await webhooks.stop();
    expect(figures().reported).toBe(1);
  });
});

describe('A batch', () => {
  test('is posted half a second after its first event', async () => {
    const { origin, deliveries, counts } = await startReceiver();
    const { clock, join } = bench(origin);
    join('alice');
    clock.advance(400);
    join('bob');
    clock.advance(99);
    expect(counts.requests).toBe(0);
    clock.advance(1);
    expect((await deliveries.take()).events.map(({ user_id }) => user_id)).toEqual(['alice', 'bob']);
  });

  test('is posted at once with a hundred events, one batch after the other', async () => {
    const { origin, deliveries, counts } = await startReceiver();
    const { join, post, figures } = bench(origin);
    for (let n = 1; n <= 250; n += 1) join(`user-${n}`);
    const posted: unknown[] = [];
    for (const size of [100, 100, 50]) {
      if (size === 50) post();
      const { events, answer } = await deliveries.take();
      expect(events).toHaveLength(size);
      posted.push(...events.map(({ user_id }) => user_id));
      expect(figures().waiting).toBe(250 - posted.length + size);
      answer(200);
      await until('the answer', () => figures().reported === posted.length);
    }
    expect(posted).toEqual(Array.from({ length: 250 }, (_, n) => `user-${n + 1}`));
    expect(counts.most).toBe(1);
  });
});

describe('The address', () => {
  test.each(['nowhere', 'ftp://example.com', 'http://', 'http://a%zz:secret@example.com', ''])(
    '%j is refused, and not quoted',
    (url) => {
      expect(() => destinationOf(url, SECRET)).toThrow(/^WEBHOOK_URL: the value given is not valid; allowed/);
    },
  );
});
