import { describe, expect, test } from 'vitest';
import { bench } from './bench.ts';
import { startReceiver } from './receiver.ts';
import { until } from '../support/client.ts';

const MESSAGE = { type: 'chat', from: 'ann', timestamp: '2026-01-01T00:00:00.000Z', data: '1' } as const;
const UNIQUE = expect.stringMatching(/^[0-9a-f]{32}$/);

describe('A message', () => {
  test('is posted with its position, and with its data unchanged', async () => {
    const { origin, deliveries } = await startReceiver();
    const { webhooks, post } = bench(origin);
    const data = '{"z":[1,{"é":"王 \\u0007"}],"a":null}';
    webhooks.stored('r', 'p1', { ...MESSAGE, event: 'said "so"', data });
    webhooks.stored('r', 'p2', { ...MESSAGE, type: 'notification', from: 'system' });
    post();
    const { body, events } = await deliveries.take();
    expect(body).toContain(`"data":${data}`);
    const common = { id: UNIQUE, type: 'message', room: 'r', timestamp: MESSAGE.timestamp };
    expect(events).toEqual([
      {
        ...common,
        user_id: 'ann',
        message: { id: 'p1', type: 'chat', event: 'said "so"', data: JSON.parse(data) },
      },
      { ...common, user_id: 'system', message: { id: 'p2', type: 'notification', data: 1 } },
    ]);
  });

  test('has the same event id on each pod that reports it, and no other message has that id', async () => {
    const { origin, deliveries } = await startReceiver();
    const [one, other] = [bench(origin), bench(origin)];
    for (const { webhooks } of [one, other]) webhooks.stored('r', 'p1', MESSAGE);
    one.webhooks.stored('r', 'p2', MESSAGE);
    one.webhooks.stored('s', 'p1', MESSAGE);
    for (const { post } of [one, other]) post();
    const bodies = [await deliveries.take(), await deliveries.take()];
    const ids = bodies
      .map(({ events }) => events.map(({ id }) => id))
      .toSorted((a, b) => a.length - b.length);
    expect(ids[0]).toEqual([ids[1]?.[0]]);
    expect(new Set(ids[1]).size).toBe(3);
  });
});

describe('The queue of messages', () => {
  test('delays no joins and leaves, whatever becomes of its posts', async () => {
    const { origin, deliveries, counts } = await startReceiver();
    const { join, say, post, figures, ofMessages } = bench(origin);
    for (let n = 0; n < 300; n += 1) say('1');
    const slow = await deliveries.take();
    expect(slow.events).toMatchObject({ length: 100, 0: { type: 'message' } });
    for (const user of ['ann', 'bob']) {
      join(user);
      post();
      const { events, answer } = await deliveries.take();
      expect(events).toMatchObject([{ type: 'member_joined', user_id: user }]);
      answer(200);
      await until('the answer', () => figures().waiting === 0);
    }
    expect(ofMessages()).toMatchObject({ reported: 0, waiting: 300 });
    expect(counts.most).toBe(2);
    slow.answer(400);
    await until('the answer', () => ofMessages().waiting === 200);
    expect(ofMessages().dropped).toEqual(new Map([['refused', 100]]));
    expect(figures()).toEqual({ reported: 2, dropped: new Map(), retries: 0, waiting: 0 });
  });

  test('posts at once with 64 KiB, and at most as many in a body, unless one event alone is larger', async () => {
    const { origin, deliveries } = await startReceiver();
    const { say, post, ofMessages } = bench(origin);
    const text = (length: number): string => JSON.stringify('é'.repeat(length / 2));
    const sizes: number[] = [];
    for (const length of [30_000, 30_000, 30_000, 100_000, 10]) say(text(length));
    for (const reported of [2, 3, 4, 5]) {
      if (reported === 5) post();
      const { events, answer } = await deliveries.take();
      sizes.push(events.length);
      answer(200);
      await until('the answer', () => ofMessages().reported === reported);
    }
    expect(sizes).toEqual([2, 1, 1, 1]);
  });

  test('holds 16 MiB, and at least one message; then the oldest are dropped', async () => {
    const { origin, deliveries } = await startReceiver();
    const { lines, say, ofMessages } = bench(origin);
    const mebibyte = JSON.stringify('x'.repeat(1_048_576));
    // The first one is in flight, and a little more than 15 fit beside it.
    for (let n = 0; n < 20; n += 1) say(mebibyte);
    await deliveries.take();
    expect(ofMessages()).toMatchObject({ waiting: 16, dropped: new Map([['overflow', 4]]) });
    expect(lines).toEqual([expect.stringContaining('"events":"messages"')]);
    say(JSON.stringify('x'.repeat(20_000_000)));
    expect(ofMessages()).toMatchObject({ waiting: 2, dropped: new Map([['overflow', 19]]) });
  });

  test('holds ten thousand messages', async () => {
    const { origin, deliveries } = await startReceiver();
    const { say, figures, ofMessages } = bench(origin);
    for (let n = 0; n < 10_150; n += 1) say('1');
    await deliveries.take();
    expect(ofMessages()).toMatchObject({ waiting: 10_100, dropped: new Map([['overflow', 50]]) });
    expect(figures()).toEqual({ reported: 0, dropped: new Map(), retries: 0, waiting: 0 });
  });
});

describe('When a pod stops', () => {
  test('both queues are posted beside each other, and also what comes until the end', async () => {
    const { origin, deliveries } = await startReceiver();
    const { webhooks, join, say, figures, ofMessages } = bench(origin);
    join('ann');
    say('1');
    const flushed = webhooks.flush();
    for (const { answer } of [await deliveries.take(), await deliveries.take()]) answer(200);
    await flushed;
    say('2');
    const { events, answer } = await deliveries.take();
    expect(events).toMatchObject([{ message: { data: 2 } }]);
    answer(200);
    await webhooks.stop();
    say('3');
    expect(figures()).toMatchObject({ reported: 1, dropped: new Map() });
    expect(ofMessages()).toMatchObject({ reported: 2, dropped: new Map([['stopped', 1]]), waiting: 0 });
  });

  test('a receiver that does not answer is given up after five seconds in all', async () => {
    const { origin, deliveries } = await startReceiver();
    const { webhooks, clock, join, say, figures, ofMessages } = bench(origin);
    join('ann');
    say('1');
    const stopped = webhooks.flush().then(() => webhooks.stop());
    const taken = [await deliveries.take(), await deliveries.take()];
    clock.advance(5_000);
    await Promise.all([stopped, ...taken.map(({ gone }) => gone)]);
    for (const queue of [figures(), ofMessages()])
      expect(queue).toMatchObject({ reported: 0, dropped: new Map([['stopped', 1]]), waiting: 0 });
  });
});
