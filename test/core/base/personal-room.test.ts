import { expect, test } from 'vitest';
import { isPersonalRoom, PersonalRoom } from '../../../src/core/base/personal-room.ts';

test.each(['user-{user}', '{user}-inbox', 'a.{user}.b', '{user}:'])('%s names personal rooms', (template) => {
  expect(isPersonalRoom(template)).toBe(true);
});

test.each(['', 'user', '{user}', '{user}{user}', 'a-{user}-{user}', '-{user}', 'a b{user}', '*{user}'])(
  '%s does not',
  (template) => {
    expect(isPersonalRoom(template)).toBe(false);
  },
);

test.each([
  ['user-ann', 'ann'],
  ['user-guest:3abob', 'guest:bob'],
  ['user-', undefined],
  ['user-guest:bob', undefined],
  ['user-system', undefined],
  ['other-ann', undefined],
])('The room %s is that of %s', (room, user) => {
  const rooms = new PersonalRoom('user-{user}');
  expect(rooms.ownerOf(room)).toBe(user);
  if (user !== undefined) expect(rooms.roomOf(user)).toBe(room);
});

test('A room of a user whose text would overlap is not theirs', () => {
  expect(new PersonalRoom('aa{user}aa').ownerOf('aaa')).toBeUndefined();
});
