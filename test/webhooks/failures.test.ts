import { bench, SECRET } from './bench.ts';
import { describe, expect, test } from 'vitest';
import { ATTEMPTS } from '../../src/webhooks/courier.ts';
import { freePort } from '../support/ports.ts';
import { startReceiver } from './receiver.ts';
import { until } from '../support/client.ts';

describe('A batch that is not accepted', () => {
  test('is posted again with the same ids and a new signature, before the next batch', async () => {
    const { origin, deliveries, counts } = await startReceiver();
    const { clock, join, post, logged, figures } = bench(origin);
    join('alice');
    post();
    const first = await deliveries.take();
    first.answer(500);
    await logged(1);
    join('bob');
    clock.advance(999);
    expect(counts.requests).toBe(1);
    clock.advance(1);
    const second = await deliveries.take();
    expect(second.body).toBe(first.body);
    expect(second.headers['x-crosspod-signature']).not.toBe(first.headers['x-crosspod-signature']);
    second.answer(200);
    await until('alice', () => figures().reported === 1);
    post();
    const third = await deliveries.take();
    expect(third.events).toMatchObject([{ user_id: 'bob' }]);
    expect(figures().retries).toBe(1);
  });

  test('is retried with random exponential backoff of a minute at most, and is given up', async () => {
    for (const random of [0, 1]) {
      const { origin, deliveries } = await startReceiver();
      const { clock, lines, join, post, logged, figures } = bench(origin, random);
      join('alice');
      post();
      const share = random === 1 ? 1 : 0.5;
      for (const [index, seconds] of [1, 2, 4, 8, 16, 32, 60, 60, 60].entries()) {
        (await deliveries.take()).answer(503);
        await logged(index + 1);
        expect(lines[index]).toContain(`"waitMs":${seconds * 1_000 * share}`);
        clock.advance(seconds * 1_000 * share);
      }
      (await deliveries.take()).answer(503);
      await logged(ATTEMPTS);
      expect(figures()).toEqual({
        reported: 0,
        dropped: new Map([['gave_up', 1]]),
        retries: ATTEMPTS - 1,
        waiting: 0,
      });
      join('bob');
      post();
      expect((await deliveries.take()).events).toMatchObject([{ user_id: 'bob' }]);
    }
  });

  test.each([
    [429, '7', 7_000],
    [503, '120', 120_000],
    [503, 'Thu, 01 Jan 2026 00:00:09 GMT', 8_500],
    [429, '86400', 300_000],
    [429, '0', 1_000],
    [429, 'soon', 1_000],
    [429, 'Thu, 01 Jan 2015 00:00:00 GMT', 1_000],
  ])('with %d and Retry-After %s is posted again after %d ms', async (status, retryAfter, ms) => {
    const { origin, deliveries, counts } = await startReceiver();
    const { clock, join, post, logged } = bench(origin);
    join('alice');
    post();
    (await deliveries.take()).answer(status, { 'Retry-After': retryAfter });
    await logged(1);
    clock.advance(ms - 1);
    expect(counts.requests).toBe(1);
    clock.advance(1);
    expect((await deliveries.take()).events).toMatchObject([{ user_id: 'alice' }]);
  });

  test.each([400, 401, 404, 410, 422, 304])(
    'with %d is dropped, with a line that says so',
    async (status) => {
      const { origin, deliveries } = await startReceiver();
      const { lines, join, post, logged, figures } = bench(origin);
      join('alice');
      join('bob');
      post();
      (await deliveries.take()).answer(status);
      await logged(1);
      expect(lines[0]).toContain(`status ${status}`);
      expect(figures()).toMatchObject({ dropped: new Map([['refused', 2]]), retries: 0, waiting: 0 });
    },
  );

  test('does not follow a redirect', async () => {
    const elsewhere = await startReceiver();
    const { origin, deliveries } = await startReceiver();
    const { join, post, logged } = bench(origin);
    join('alice');
    post();
    (await deliveries.take()).answer(307, { Location: `${elsewhere.origin}/hook` });
    await logged(1);
    expect(elsewhere.counts.requests).toBe(0);
  });

  test('by an unavailable receiver is posted again when the receiver is back', async () => {
    const { lines, clock, join, post, logged, figures } = bench(`http://127.0.0.1:${await freePort()}/`);
    join('alice');
    post();
    for (const attempt of [1, 2, 3]) {
      await logged(attempt);
      clock.advance(60_000);
    }
    expect(lines[0]).toContain('ECONNREFUSED');
    expect(figures().waiting).toBe(1);
  });

  test('within five seconds is aborted and posted again', async () => {
    const { origin, deliveries } = await startReceiver();
    const { lines, clock, join, post, logged } = bench(origin);
    join('alice');
    post();
    const slow = await deliveries.take();
    clock.advance(5_000);
    await slow.gone;
    await logged(1);
    expect(lines[0]).toContain('"reason":"timeout"');
    clock.advance(1_000);
    expect((await deliveries.take()).body).toBe(slow.body);
  });
});

test('The queue holds ten thousand events; then the oldest are dropped, counted, and logged once', async () => {
  const { origin, deliveries } = await startReceiver();
  const { lines, join, figures } = bench(origin);
  for (let n = 1; n <= 10_150; n += 1) join(`user-${n}`);
  const first = await deliveries.take();
  expect(first.events).toMatchObject({ length: 100, 0: { user_id: 'user-1' } });
  expect(figures()).toMatchObject({ dropped: new Map([['overflow', 50]]), waiting: 10_100 });
  expect(lines).toHaveLength(1);
  first.answer(200);
  expect((await deliveries.take()).events).toMatchObject({ 0: { user_id: 'user-151' } });
});

describe('When a pod stops', () => {
  test('waiting events are posted at once', async () => {
    const { origin, deliveries } = await startReceiver();
    const { webhooks, join, figures } = bench(origin);
    for (let n = 1; n <= 120; n += 1) join(`user-${n}`);
    const stopped = webhooks.stop();
    for (const size of [100, 20]) {
      const { events, answer } = await deliveries.take();
      expect(events).toHaveLength(size);
      answer(200);
    }
    await stopped;
    expect(figures()).toMatchObject({ reported: 120, dropped: new Map(), waiting: 0 });
    join('late');
    expect(figures()).toMatchObject({ dropped: new Map([['stopped', 1]]), waiting: 0 });
  });

  test('a batch that waits for a retry is posted at once', async () => {
    const { origin, deliveries } = await startReceiver();
    const { webhooks, join, post, logged, figures } = bench(origin);
    join('alice');
    post();
    (await deliveries.take()).answer(500);
    await logged(1);
    const stopped = webhooks.stop();
    (await deliveries.take()).answer(200);
    await stopped;
    expect(figures().reported).toBe(1);
  });

  test('a batch with Retry-After is not posted earlier, and is dropped after five seconds', async () => {
    const { origin, deliveries, counts } = await startReceiver();
    const { webhooks, clock, join, post, logged, figures } = bench(origin);
    join('alice');
    post();
    (await deliveries.take()).answer(429, { 'Retry-After': '60' });
    await logged(1);
    const stopped = webhooks.stop();
    clock.advance(5_000);
    await stopped;
    expect(counts.requests).toBe(1);
    expect(figures()).toMatchObject({ dropped: new Map([['stopped', 1]]), waiting: 0 });
  });

  test('a receiver that does not answer is given up after five seconds', async () => {
    const { origin, deliveries } = await startReceiver();
    const { webhooks, clock, join, figures } = bench(origin);
    for (let n = 1; n <= 300; n += 1) join(`user-${n}`);
    const stopped = webhooks.stop();
    const { gone } = await deliveries.take();
    clock.advance(5_000);
    await Promise.all([stopped, gone]);
    expect(figures()).toMatchObject({ reported: 0, dropped: new Map([['stopped', 300]]), waiting: 0 });
  });

  test('nothing may be waiting', async () => {
    const { webhooks, figures } = bench('http://127.0.0.1:9/');
    await webhooks.stop();
    expect(figures().waiting).toBe(0);
  });
});

test('The log contains neither the secret nor the credentials, path or query of the address', async () => {
  const { origin, deliveries } = await startReceiver();
  const { lines, clock, join, post, logged } = bench(
    `${origin.replace('//', '//user:pass-word@')}/path-token?key=query-token`,
  );
  join('alice');
  post();
  (await deliveries.take()).answer(500);
  await logged(1);
  clock.advance(60_000);
  (await deliveries.take()).answer(301, { Location: '/' });
  await logged(2);
  clock.advance(60_000);
  (await deliveries.take()).answer(400);
  await logged(3);
  for (const line of lines) {
    expect(line).toContain(origin);
    for (const secret of [SECRET, 'user', 'pass-word', 'path-token', 'query-token']) {
      expect(line).not.toContain(secret);
    }
  }
});
