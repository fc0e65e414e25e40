import { describe, expect, test } from 'vitest';
import { isRoomName, isUserId } from '../../src/protocol/names.ts';
import { reconnectAfter } from '../../src/protocol/close-codes.ts';

describe('room names', () => {
  test.each(['r', 'R2', '0', 'user-alice', 'a.b:c@d_e-f', 'r'.repeat(128)])('%s is one', (name) => {
    expect(isRoomName(name)).toBe(true);
  });

  test.each(['', '-r', '@r', '.r', 'r r', 'r/s', 'é', 'r\n', 'r'.repeat(129), 7, null, undefined])(
    '%j is none',
    (name) => {
      expect(isRoomName(name)).toBe(false);
    },
  );
});

describe('user ids', () => {
  test.each(['a', 'Zoë', 'a b', '+49 171', '山田', '😀'.repeat(256), 'systems', 'con:x'])(
    '%s is one',
    (id) => {
      expect(isUserId(id)).toBe(true);
    },
  );

  test.each(['', 'system', 'conn:x', '@x', 'a\nb', 'a\u0000', '\ud800', 'a\u202eb', '😀'.repeat(257)])(
    '%j is none',
    (id) => {
      expect(isUserId(id)).toBe(false);
    },
  );
});

test('a close code that is not in the table means come back later', () => {
  expect(reconnectAfter(1006)).toBe('backoff');
  expect(reconnectAfter(4403)).toBe('never');
  expect(reconnectAfter(4401)).toBe('new-token');
});
