import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { writeJson } from '../../src/protocol/json.ts';

const nested = (depth: number, inner = ''): unknown =>
  JSON.parse('['.repeat(depth) + inner + ']'.repeat(depth));

test('data may be nested 512 deep and no deeper', () => {
  expect(writeJson(nested(512))).toBe('['.repeat(512) + ']'.repeat(512));
  expect(writeJson(nested(513))).toBeUndefined();
  expect(writeJson(nested(100_000))).toBeUndefined();
});

test('brackets in strings do not count', () => {
  const text = `${'['.repeat(2_000)}\\"${'{'.repeat(2_000)}`;
  expect(writeJson({ text })).toBe(JSON.stringify({ text }));
});

test('a value without a JSON form is not encoded', () => {
  expect(writeJson(() => 1)).toBeUndefined();
});

test('any other value is encoded as by JSON.stringify', () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => writeJson(value) === JSON.stringify(value)));
});
