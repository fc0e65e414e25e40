import { describe, expect, test } from 'vitest';
import * as fc from 'fast-check';
import {
  type Action,
  DEFAULT_PERMISSIONS,
  RuleList,
  readPermissions,
  UNRESTRICTED,
} from '../../../src/core/base/permissions.ts';
import type { Permissions } from '../../../src/core/ports/principal.ts';

const ROOM_ACTIONS = ['join', 'publish', 'presence', 'history'] as const;

function read(claim: unknown): Permissions {
  const permissions = readPermissions(claim);
  if (permissions === undefined) throw new Error(`malformed: ${JSON.stringify(claim)}`);
  return permissions;
}

/** The sentence of the protocol, character by character: slow, and without any cleverness. */
function permits(rules: readonly string[], action: string, name: string, user: string): boolean {
  return rules.some((rule) => {
    const [allowed = '', ...rest] = rule.split(':');
    const pattern = rest.join(':');
    if (allowed !== action && allowed !== '*') return false;
    // Only a pattern that says so speaks of what is no room.
    if (name.startsWith('@') !== pattern.startsWith('@')) return false;
    const parts = pattern.match(/\{user\}|[^]/g) ?? [];
    return fits(
      parts.map((part) =>
        part === '{user}' ? { text: inRoomName(user) } : part === '*' ? 'any' : { text: part },
      ),
      name,
    );
  });
}

/** A user id as the protocol writes it in a room name. */
function inRoomName(user: string): string {
  return Array.from(Buffer.from(user), (byte) => {
    const character = String.fromCodePoint(byte);
    return /[\w@.-]/.test(character) ? character : `:${byte.toString(16).padStart(2, '0')}`;
  }).join('');
}

function fits(parts: readonly ('any' | { text: string })[], name: string): boolean {
  const [first, ...rest] = parts;
  if (first === undefined) return name === '';
  if (first === 'any') return fits(rest, name) || (name !== '' && fits(parts, name.slice(1)));
  return name.startsWith(first.text) && fits(rest, name.slice(first.text.length));
}

// Few letters, so that what is made at random often fits.
const name = fc.oneof(
  fc.stringMatching(/^[ab][ab:.@-]{0,7}$/),
  fc.constantFrom('@global', '@direct', 'a', 'user-a', 'a-b', 'a:3ab', 'user-:2a', 'a:20b', 'user-:c3:a9'),
);
const user = fc.oneof(
  fc.constantFrom('a', 'b', 'ab', '*', '{user}', '$&', 'a*', '\\', 'a b', 'a:b', ':', 'é'),
);
const pattern = fc
  .array(fc.constantFrom('a', 'b', '*', '*', '{user}', '-', ':', '.', '@', 'user-'), {
    minLength: 1,
    maxLength: 6,
  })
  .map((parts) => parts.join(''))
  .filter((text) => !/.@/.test(text) || !text.startsWith('@@'));
const anyPattern = fc.oneof(pattern, fc.constantFrom('@global', '@direct', '@*', '*', '@g*l'));
const rule = fc
  .tuple(fc.constantFrom('join', 'publish', 'presence', 'history', 'api', '*'), anyPattern)
  .map((parts) => parts.join(':'));

describe('RuleList', () => {
  test('permit what the sentence of the protocol permits, and nothing else', () => {
    fc.assert(
      fc.property(
        fc.array(rule, { maxLength: 3 }),
        fc.constantFrom<Action>(...ROOM_ACTIONS, 'api'),
        name,
        user,
        (rules, action, room, holder) => {
          expect(read(rules).allow(action, room, holder)).toBe(permits(rules, action, room, holder));
        },
      ),
      { numRuns: 5_000 },
    );
  });

  test('are a union: what one of two lists permits, both together do, and nothing more', () => {
    fc.assert(
      fc.property(fc.array(rule), fc.array(rule), name, user, (some, others, room, holder) => {
        for (const action of ROOM_ACTIONS) {
          const either = [some, others].some((rules) => read(rules).allow(action, room, holder));
          expect(read([...some, ...others]).allow(action, room, holder)).toBe(either);
        }
      }),
    );
  });

  test('are quick for patterns that make a backtracking matcher slow', () => {
    const slow = read([`join:${'a*'.repeat(5_000)}b`, `join:${'*a'.repeat(5_000)}*b`]);
    expect(slow.allow('join', 'a'.repeat(128), 'alice')).toBe(false);
    expect(slow.allow('join', `${'a'.repeat(127)}b`, 'alice')).toBe(false);
  });

  test('of a claim that is not there are everything in rooms and nothing else', () => {
    expect(readPermissions(undefined)).toBe(DEFAULT_PERMISSIONS);
    fc.assert(
      fc.property(name, user, (room, holder) => {
        for (const action of ROOM_ACTIONS) {
          const isRoom = !room.startsWith('@');
          expect(DEFAULT_PERMISSIONS.allow(action, room, holder)).toBe(isRoom);
          expect(UNRESTRICTED.allow(action, room, holder)).toBe(true);
        }
      }),
    );
    expect(DEFAULT_PERMISSIONS.allowApi).toBe(false);
    expect(UNRESTRICTED.allowApi).toBe(true);
  });

  test('of an empty list are none', () => {
    for (const action of [...ROOM_ACTIONS, 'api'] as const) {
      for (const room of ['a', '@global', '@direct']) expect(read([]).allow(action, room, 'a')).toBe(false);
    }
    expect(read([]).allowApi).toBe(false);
  });

  test.each<[string[], boolean]>([
    [['api:*'], true],
    [['*:*'], true],
    [['join:a', 'api:*'], true],
    [['join:*', 'publish:*', 'presence:*', 'history:*'], false],
    [['api:lobby'], false],
    [['*:lobby'], false],
    [['api:@*'], false],
  ])('%o open the HTTP API: %s', (rules, expected) => {
    expect(read(rules).allowApi).toBe(expected);
  });
});

describe('A claim', () => {
  test.each<[unknown]>([
    [null],
    [''],
    ['join:*'],
    [7],
    [true],
    [{}],
    [{ 0: 'join:*', length: 1 }],
    [[7]],
    [[null]],
    [[undefined]],
    [[['join:*']]],
    [['join']],
    [['join:']],
    [[':']],
    [[':*']],
    [['*']],
    [['JOIN:*']],
    [['join :*']],
    [[' join:*']],
    [['join:* ']],
    [['join:a b']],
    [['join:a/b']],
    [['join:é']],
    [['join:*\n']],
    [['join:{room}']],
    [['join:{user']],
    [['join:{USER}']],
    [['toString:*']],
    [['__proto__:*']],
    [['join:*', 'fly:*']],
  ])('that is %j is malformed', (claim) => {
    expect(readPermissions(claim)).toBeUndefined();
  });

  test('may have a colon in its pattern, because a room name may', () => {
    expect(read(['join:a:b']).allow('join', 'a:b', 'x')).toBe(true);
    expect(read(['join:a:b']).allow('join', 'a', 'x')).toBe(false);
  });

  test('of any kind is read without an error', () => {
    fc.assert(
      fc.property(fc.anything(), (claim) => {
        const permissions = readPermissions(claim);
        expect(permissions === undefined || permissions instanceof RuleList).toBe(true);
      }),
    );
  });
});
