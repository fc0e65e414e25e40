import { expect, test } from 'vitest';
import type { Message } from '../../src/client/client.ts';
import { ResumePoint } from '../../src/client/resume-point.ts';

function message(n: number): Message {
  return { type: 'chat', id: `id-${n}`, room: 'r', from: 'bob', data: n, timestamp: '' };
}

/** Which of `from` up to `to` come to the application. */
function shown(point: ResumePoint, from: number, to: number): number[] {
  const numbers = Array.from({ length: to - from }, (_, index) => from + index);
  return numbers.filter((n) => point.received(message(n)));
}

test('of a long replay only what was forgotten before it is shown again', () => {
  const point = new ResumePoint();
  expect(shown(point, 0, 6_000)).toHaveLength(6_000);
  point.replays(6_000);
  expect(shown(point, 0, 6_000)).toEqual(Array.from({ length: 1_000 }, (_, n) => n));
  expect(shown(point, 6_000, 6_100)).toHaveLength(100);
});

test('what is live again is forgotten in its turn', () => {
  const point = new ResumePoint();
  point.replays(2_000);
  shown(point, 0, 2_000);
  shown(point, 2_000, 6_999);
  expect(shown(point, 1_999, 2_000)).toEqual([]);
  shown(point, 6_999, 7_000);
  expect(shown(point, 1_999, 2_000)).toEqual([1_999]);
});
