import { describe, expect, test } from 'vitest';
import * as fc from 'fast-check';
import { isRoomName, isUserId } from '../../src/protocol/names.ts';
import { decodeUser, encodeUser } from '../../src/protocol/user-name.ts';

const userId = fc
  .oneof(
    fc.string({ unit: 'binary', minLength: 1 }),
    fc.string({ unit: fc.constantFrom('a', '3', ':', '::', '%', '*', '{user}', '@', '-', 'é', '😀') }),
    fc.constantFrom('guest:bob', 'a b', 'a:3ab', ':', '👨\u200D👩\u200D👧', '山田', 'auth0|5f7'),
  )
  .filter((id) => isUserId(id));

describe('An encoded user id', () => {
  test.each([
    ['alice', 'alice'],
    ['ann@example.com', 'ann@example.com'],
    ['guest:bob', 'guest:3abob'],
    ['guest:3abob', 'guest:3a3abob'],
    ['auth0|5f7', 'auth0:7c5f7'],
    ['a b', 'a:20b'],
    ['Zoë', 'Zo:c3:ab'],
    ['😀', ':f0:9f:98:80'],
    ['*', ':2a'],
    ['_x', '_x'],
  ])('of %j is %j', (id, encoded) => {
    expect(encodeUser(id)).toBe(encoded);
    expect(decodeUser(encoded)).toBe(id);
  });

  test('is always a legal part of a room name, and decodes to its id alone', () => {
    fc.assert(
      fc.property(userId, (id) => {
        const encoded = encodeUser(id);
        expect(decodeUser(encoded)).toBe(id);
        // Apart from its length: a room name has at most 128 characters.
        for (let at = 0; at < encoded.length; at += 100) {
          expect(isRoomName(`user-${encoded.slice(at, at + 100)}`)).toBe(true);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('is never that of another id', () => {
    fc.assert(
      fc.property(userId, userId, (one, other) => {
        expect(encodeUser(one) === encodeUser(other)).toBe(one === other);
      }),
      { numRuns: 1_000 },
    );
  });

  test('has one form: a text decodes only if encoding gives it back', () => {
    const text = fc.oneof(
      fc.stringMatching(/^(?:[a-c3@._-]|:[2-6][0-9a-f]|:c3:a[0-9]){1,6}$/),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(text, (encoded) => {
        const id = decodeUser(encoded);
        expect(id === undefined || (isUserId(id) && encodeUser(id) === encoded)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ['nothing', ''],
    ['a colon alone', ':'],
    ['a colon without digits', 'a:b'],
    ['upper-case digits', 'a:3Ab'],
    ['a letter that needs no encoding', ':61lice'],
    ['half a character', 'Zo:c3'],
    ['an overlong form', ':c0:ba'],
    ['half of a surrogate pair', ':ed:a0:80'],
    ['a control character', 'a:0ab'],
    ['an invisible character', 'a:e2:80:8bb'],
    ['a space as it is', 'a b'],
    ['a percent sign', '%3a'],
    ['the name of the server', 'system'],
    ['a connection', 'conn:3ax'],
    ['what no user id begins with', '@x'],
    ['the start of another app’s users', 'app::alice'],
  ])('is not %s: %j', (_, text) => {
    expect(decodeUser(text)).toBeUndefined();
  });
});
