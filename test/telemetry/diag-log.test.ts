import { expect, test } from 'vitest';
import type { Log } from '../../src/core/ports/log.ts';
import { diagLog } from '../../src/telemetry/diag-log.ts';

/** The lines of a log, and what writes them. */
function world() {
  const lines: string[] = [];
  const line = (_: object, message: string): void => void lines.push(message);
  const log: Log = { debug: line, info: line, warn: line, error: line };
  return { lines, diag: diagLog(log) };
}

/** What is said with these arguments. */
function said(text: string, ...more: readonly unknown[]): string {
  const { lines, diag } = world();
  diag.warn(text, ...more);
  return lines.join('\n');
}

const circle: { self?: unknown } = {};
circle.self = circle;

test.each([
  ['what', 'became of it', 'said: what became of it'],
  [new TypeError('no'), undefined, 'said: TypeError: no undefined'],
  [new Error('no', { cause: new Error('why') }), 7, 'said: Error: no (Error: why) 7'],
  [{ code: 14, error: new Error('gone') }, [1], 'said: {"code":14,"error":"Error: gone"} [1]'],
  [circle, 1n, 'said: [object Object] [object BigInt]'],
])('Further arguments are part of the line: %o, %o', (one, other, line) => {
  expect(said('said:', one, other)).toBe(line);
});

test('No secret is logged', () => {
  const url = 'https://user:hunter2@collector:4318/v1';
  const headers = { Authorization: 'hunter2', 'x-api-key': 'hunter2' };
  const line = said('sent', new Error(`to ${url}`), { url, headers, metadata: { token: 'hunter2' } });
  expect(line).not.toContain('hunter2');
  expect(line).toContain('https://collector:4318/v1');
});

test('A line has a maximum length', () => {
  expect(said('long', 'x'.repeat(10_000))).toHaveLength(500);
});

test('A repeated message is logged ten times, and does not suppress higher levels', () => {
  const { lines, diag } = world();
  for (let n = 0; n < 1_000; n += 1) diag.debug('tick');
  expect(lines).toHaveLength(10);
  for (let n = 0; n < 1_000; n += 1) diag.error('gone');
  expect(lines.slice(10)).toEqual(Array<string>(10).fill('gone'));
});
