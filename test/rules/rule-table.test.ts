import { expect, test } from 'vitest';
import { RuleTable } from '../../src/rules/rule-table.ts';
import { CONTEXT } from './context.ts';

const { defaults } = CONTEXT;

function tableOf(...matches: string[]): RuleTable {
  return new RuleTable(
    matches.map((match, index) => ({ ...defaults, match, name: `rule-${index + 1}` })),
    defaults,
  );
}

test('the first rule that fits holds', () => {
  const table = tableOf('news-hot', 'news-*', '*-chat', '*');
  expect(['news-hot', 'news-a', 'news-chat', 'a-chat', 'b'].map((room) => table.ruleOf(room).match)).toEqual([
    'news-hot',
    'news-*',
    'news-*',
    '*-chat',
    '*',
  ]);
});

test('a room that no rule fits has what the settings say', () => {
  expect(tableOf('news-*').ruleOf('chat')).toBe(defaults);
});

test('no rule fits global and direct messages', () => {
  const table = tableOf('*');
  expect([table.ruleOf('@global'), table.ruleOf('@direct')]).toEqual([defaults, defaults]);
});

test.each([
  ['user-{user}', 'user-ann', 'ann'],
  ['user-{user}', 'user-7f3c-11ee', '7f3c-11ee'],
  ['user-{user}', 'user-a:3ab', 'a:b'],
  ['user-{user}', 'user-:c3:a9', 'é'],
  ['{user}.inbox', 'ann.inbox', 'ann'],
  ['*-{user}', 'room-ann', 'ann'],
])('with %s, only one user may join %s', (match, room, user) => {
  expect(tableOf(match).ruleOf(room).onlyUser).toBe(user);
});

test.each(['user-', 'user-a:b', 'user-:C3:A9', 'user-:61', 'user-system', 'user-@x'])(
  'user-{user} does not fit %s, in which no user id stands',
  (room) => {
    expect(tableOf('user-{user}').ruleOf(room)).toBe(defaults);
  },
);

test('rooms of one user each have their own, also when asked again', () => {
  const table = tableOf('user-{user}');
  for (const user of ['ann', 'bob', 'ann', 'bob']) expect(table.ruleOf(`user-${user}`).onlyUser).toBe(user);
});

test('a room is looked up once, however often it is asked for', () => {
  const table = tableOf('user-{user}');
  expect(table.ruleOf('user-ann')).toBe(table.ruleOf('user-ann'));
});

test('it remembers a bounded number of rooms', () => {
  const table = tableOf('user-{user}');
  const first = table.ruleOf('user-0');
  for (let number = 1; number < 10_000; number += 1) table.ruleOf(`user-${number}`);
  expect(table.ruleOf('user-0')).toBe(first);
  table.ruleOf('user-10000');
  expect(table.ruleOf('user-0')).not.toBe(first);
  expect(table.ruleOf('user-0')).toEqual(first);
});

test('the largest size and the largest age may be of different rules, or of the settings', () => {
  const rules = [
    { ...defaults, historySize: 500, historyTtlMs: 1_000 },
    { ...defaults, historySize: 10, historyTtlMs: 900_000 },
  ];
  expect(new RuleTable(rules, defaults).widest).toEqual({ historySize: 500, historyTtlMs: 900_000 });
  expect(new RuleTable([], defaults).widest).toEqual({ historySize: 100, historyTtlMs: 300_000 });
});
