import { bench, CONNECT, RULE, WHO } from './bench.ts';
import { describe, expect, test } from 'vitest';
import { Breaker } from '../../src/backend/breaker.ts';
import { Leaves } from '../../src/backend/leaves.ts';
import type { ServerResponse } from 'node:http';
import { TestClock } from '../support/test-clock.ts';
import { Turns } from '../../src/backend/turns.ts';

describe('The breaker', () => {
  test('lets nothing pass for two seconds after five failures in a row, then one at a time', () => {
    const clock = new TestClock();
    const breaker = new Breaker(clock);
    const fail = (): void => {
      expect(breaker.enter()).toBe(true);
      breaker.failed();
    };
    for (let n = 0; n < 4; n += 1) fail();
    breaker.enter();
    breaker.answered();
    for (let n = 0; n < 5; n += 1) fail();
    expect(breaker.enter()).toBe(false);
    clock.advance(1_999);
    expect(breaker.enter()).toBe(false);
    clock.advance(1);
    expect([breaker.enter(), breaker.enter()]).toEqual([true, false]);
    breaker.failed();
    expect([breaker.enter(), breaker.enter()]).toEqual([true, false]);
    breaker.gaveUp();
    expect([breaker.enter(), breaker.enter()]).toEqual([true, false]);
    breaker.answered();
    expect([breaker.enter(), breaker.enter()]).toEqual([true, true]);
  });

  test('is one for each event, and opens for 502, 503 and 504 alone', async () => {
    const status = (code: number) => (response: ServerResponse) => void response.writeHead(code).end();
    const { backend, fake, counted } = await bench(({ event, method }) => {
      if (event === 'call') return status(method === 'faulty' ? 500 : 503);
      return { allow: true };
    });
    for (let n = 0; n < 7; n += 1) await backend.calling?.(WHO, 'faulty', '1');
    expect(fake.asked).toHaveLength(7);
    for (let n = 0; n < 7; n += 1) await backend.calling?.(WHO, 'gone', '1');
    expect(fake.asked).toHaveLength(12);
    expect([counted('call', 'failed'), counted('call', 'skipped')]).toEqual([12, 2]);
    expect(await backend.connecting(CONNECT)).toMatchObject({ kind: 'allow' });
  });

  test('opens for a backend that is not there', async () => {
    const { backend, counted } = await bench(undefined, { address: new URL('http://127.0.0.1:1/') });
    for (let n = 0; n < 6; n += 1) expect(await backend.connecting(CONNECT)).toEqual({ kind: 'failed' });
    expect([counted('connect', 'failed'), counted('connect', 'skipped')]).toEqual([5, 1]);
  });
});

describe('Turns', () => {
  test('run so many at once, in order, and one that waits too long gets none', async () => {
    const clock = new TestClock();
    const turns = new Turns(2, clock);
    const first = await turns.take(100);
    await turns.take(100);
    const third = turns.take(100);
    const fourth = turns.take(200);
    clock.advance(100);
    expect(await third).toBeUndefined();
    first?.();
    expect(await fourth).toBeTypeOf('function');
  });

  test('are not all taken by what nobody waits for', async () => {
    const turns = new Turns(4, new TestClock());
    const [first] = [await turns.take(0, true)];
    let began = false;
    const second = turns.take(0, true).finally(() => (began = true));
    expect(await turns.take(0)).toBeTypeOf('function');
    expect(began).toBe(false);
    first?.();
    await second;
    expect(began).toBe(true);
  });

  test('a question that waited too long fails, and the breaker does not count it', async () => {
    const { backend, fake, counted } = await bench(() => undefined, { concurrency: 1, timeoutMs: 200 });
    const all = await Promise.all(Array.from({ length: 8 }, async () => backend.joining?.(WHO, 'r', RULE)));
    expect(all.map((decision) => decision?.kind)).toEqual(Array<string>(8).fill('failed'));
    expect(counted('join', 'waited')).toBeGreaterThanOrEqual(6);
    expect(fake.asked.length).toBeLessThanOrEqual(2);
  });
});

describe('Leaves', () => {
  test('wait in order, at most 10,000; the rest is dropped and counted', async () => {
    const clock = new TestClock();
    const sent: string[] = [];
    let dropped = 0;
    const send = (body: string): Promise<void> => {
      sent.push(body);
      return new Promise(() => undefined);
    };
    const leaves = new Leaves({ clock, most: 2, send, dropped: (count) => (dropped += count) });
    for (let n = 0; n < 10_005; n += 1) leaves.put(String(n));
    expect(sent).toEqual(['0', '1']);
    expect(dropped).toBe(3);
    const stopped = leaves.stop();
    clock.advance(5_000);
    await stopped;
    expect(dropped).toBe(10_003);
  });

  test('are all told before the pod ends', async () => {
    const { backend, fake, counted } = await bench();
    for (let n = 0; n < 200; n += 1) backend.left?.(WHO, `r${n}`, RULE);
    await backend.stop();
    expect(fake.asked).toHaveLength(200);
    expect(counted('leave', 'allowed')).toBe(200);
  });
});
