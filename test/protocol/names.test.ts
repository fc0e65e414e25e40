import { describe, expect, test } from 'vitest';
import { isRoomName, isUserId } from '../../src/protocol/names.ts';
import { reconnectAfter } from '../../src/protocol/close-codes.ts';

describe('room names', () => {
  test.each(['r', 'R2', '0', 'user-alice', 'a.b:c@d_e-f', 'r'.repeat(128)])('%s is valid', (name) => {
    expect(isRoomName(name)).toBe(true);
  });

  test.each(['', '-r', '@r', '.r', 'r r', 'r/s', 'é', 'r\n', 'r'.repeat(129), 7, null, undefined])(
    '%j is invalid',
    (name) => {
      expect(isRoomName(name)).toBe(false);
    },
  );
});

describe('user ids', () => {
  test.each(['a', 'Zoë', 'a b', '+49 171', '山田', '😀'.repeat(256), 'systems', 'con:x'])(
    '%s is valid',
    (id) => {
      expect(isUserId(id)).toBe(true);
    },
  );

  test.each(['', 'system', 'conn:x', '@x', 'a\nb', 'a\u0000', '\ud800', 'a\u202eb', '😀'.repeat(257)])(
    '%j is invalid',
    (id) => {
      expect(isUserId(id)).toBe(false);
    },
  );
});

describe('invisible characters in a user id', () => {
  test.each([
    ['a zero width space', '\u200B'],
    ['a byte order mark', '\uFEFF'],
    ['a soft hyphen', '\u00AD'],
    ['a word joiner', '\u2060'],
    ['an invisible times', '\u2062'],
    ['a grapheme joiner', '\u034F'],
    ['a filler of Hangul', '\u3164'],
    ['a half filler of Hangul', '\uFFA0'],
    ['a vowel of Khmer that is none', '\u17B4'],
    ['a variation selector of Mongolian', '\u180B'],
    ['a variation selector', '\uFE0E'],
    ['a variation selector beyond the first plane', '\u{E0100}'],
    ['a tag letter', '\u{E0061}'],
    ['a beam of music', '\u{1D173}'],
    ['a mark of direction', '\u200E'],
    ['an override of direction', '\u202E'],
    ['an interlinear mark', '\uFFF9'],
    ['a line separator', '\u2028'],
  ])('%s is refused everywhere', (_, hidden) => {
    for (const id of [hidden, `${hidden}ann`, `a${hidden}nn`, `ann${hidden}`])
      expect(isUserId(id)).toBe(false);
  });

  test('a variation selector is allowed only between two characters: at the end it would be invisible', () => {
    expect(isUserId('Ann ❤')).toBe(true);
    expect(isUserId('Ann ❤\uFE0F')).toBe(false);
    expect(isUserId('❤\uFE0F')).toBe(false);
  });

  test.each(['\u200C', '\u200D', '\uFE0F'])(
    '%j is allowed once between two characters, and nowhere else',
    (joiner) => {
      expect(isUserId(`a${joiner}b`)).toBe(true);
      expect(isUserId(`a${joiner}b${joiner}c`)).toBe(true);
      for (const id of [joiner, `${joiner}a`, `a${joiner}`, `a${joiner}${joiner}b`, `a${joiner}\n`]) {
        expect(isUserId(id)).toBe(false);
      }
    },
  );

  test.each([
    ['Persian', 'می\u200Cخواهم'],
    ['Hindi', 'क्\u200Dष'],
    ['Sinhala', 'ශ්\u200Dරී'],
    ['a family', '👨\u200D👩\u200D👧'],
    ['a heart on fire', '❤\uFE0F\u200D🔥'],
    ['a flag of many colours', '🏳\uFE0F\u200D🌈 Ann'],
    ['a key', '1\uFE0F⃣'],
    ['a heart in the middle', 'Ann ❤\uFE0F Bob'],
  ])('names are compared as they are written: %s', (_, id) => {
    expect(isUserId(id)).toBe(true);
  });

  test('a long name is checked quickly', () => {
    expect(isUserId('a\u200D'.repeat(128))).toBe(false);
    expect(isUserId(`${'❤\uFE0F\u200D'.repeat(85)}\n`)).toBe(false);
    expect(isUserId(`${'a'.repeat(100_000)}\u200B`)).toBe(false);
  });
});

test('a close code that is not in the table means reconnect with backoff', () => {
  expect(reconnectAfter(1006)).toBe('backoff');
  expect(reconnectAfter(4403)).toBe('never');
  expect(reconnectAfter(4401)).toBe('new-token');
});
