import { describe, expect, test } from 'vitest';
import * as fc from 'fast-check';
import { NamePattern } from '../../src/protocol/name-pattern.ts';
import { encodeUser } from '../../src/protocol/user-name.ts';

describe('A pattern with {user}', () => {
  test.each<[string, string, string, boolean]>([
    ['user-{user}', 'user-alice', 'alice', true],
    ['user-{user}', 'user-guest:3abob', 'guest:bob', true],
    ['user-{user}', 'user-guest:bob', 'guest:bob', false],
    ['user-{user}', 'user-:2a', '*', true],
    ['user-{user}', 'user-x', '*', false],
    ['{user}.*.{user}', 'alice.x.alice', 'alice', true],
    ['{user}.*.{user}', 'alice.x.bob', 'alice', false],
    ['*-{user}', 'a-b-bob', 'bob', true],
    ['*-{user}', 'a-b-bob', 'b-bob', true],
    ['{user}', '@global', 'global', false],
  ])('%s and the room %s of %s: %s', (pattern, room, user, expected) => {
    expect(new NamePattern(pattern).fits(room, user)).toBe(expected);
  });

  test.each<[string, string, string | undefined]>([
    ['user-{user}', 'user-alice', 'alice'],
    ['user-{user}', 'user-guest:3abob', 'guest:3abob'],
    ['user-{user}', 'user-guest:bob', undefined],
    ['user-{user}', 'user-', undefined],
    ['user-{user}', 'user-system', undefined],
    ['user-{user}', 'team-alice', undefined],
    ['{user}.inbox', 'alice.inbox', 'alice'],
    ['{user}.inbox', 'alice.inbox2', undefined],
    ['a-{user}-a', 'a-a', undefined],
    ['order-*-{user}', 'order-7-550e8400-e29b-41d4', '550e8400-e29b-41d4'],
    ['{user}-*', '550e8400-e29b-7', '550e8400-e29b'],
    ['{user}*', 'alice', 'alice'],
    ['*:{user}', 'a:3x:alice', 'alice'],
  ])('%s and the room %s: the user is %s', (pattern, room, expected) => {
    expect(new NamePattern(pattern).userIn(room)).toBe(expected);
  });

  test('finds the user that was put in where nothing else is open', () => {
    const part = fc.stringMatching(/^[a:@.-]{0,4}$/);
    const user = fc.stringMatching(/^[a3é][a3é: |-]{0,6}$/).filter((id) => !/[ ]$/.test(id));
    fc.assert(
      fc.property(part, part, user, (before, after, id) => {
        const pattern = new NamePattern(`r${before}{user}${after}`);
        const name = `r${before}${encodeUser(id)}${after}`;
        expect(pattern.userIn(name)).toBe(encodeUser(id));
        expect(pattern.fits(name, id)).toBe(true);
        expect(pattern.fits(name, `${id}x`)).toBe(false);
      }),
    );
  });

  test('names no user for whom it does not fit', () => {
    const pattern = fc.stringMatching(/^[a*:-]{0,4}\{user\}[a*:-]{0,4}$/);
    fc.assert(
      fc.property(pattern, fc.stringMatching(/^[a:@3-]{1,12}$/), (text, name) => {
        const user = new NamePattern(text).userIn(name);
        fc.pre(user !== undefined);
        const id = decodeURIComponent((user ?? '').replaceAll(':', '%'));
        expect(new NamePattern(text).fits(name, id)).toBe(true);
      }),
    );
  });
});
