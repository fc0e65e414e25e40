import { describe, expect, test } from 'vitest';
import { readRules } from '../../src/rules/read-rules.ts';
import { linesOf } from '../../src/rules/faults.ts';
import { CONTEXT } from './context.ts';

/** The rules of the text. */
function rulesOf(text: string, context = CONTEXT) {
  const read = readRules(text, context);
  if (read.rules === undefined) throw new Error(linesOf(read.faults, 'f').join('\n'));
  return read.rules;
}

/** What is wrong with the text, one line each. */
function faultsOf(text: string, context = CONTEXT): string[] {
  const read = readRules(text, context);
  return read.rules === undefined ? linesOf(read.faults, 'f') : [];
}

/** The faults of a file with one rule for the room `a` that has this key too. */
function faultsWith(key: string, context = CONTEXT): string[] {
  return faultsOf(`rooms:\n  - match: a\n    ${key}\n`, context);
}

test('a rule with every key says what it says', () => {
  const [rule] = rulesOf(
    `rooms:
      - name: news
        match: "news-*"
        history: { size: 1000, ttl: 7d }
        last_value: server
        presence: { enabled: false, events_limit: 20 }
        publish: server
        join: backend
        max_data_bytes: 4096
        max_members: 5000
        messages_per_second: 5
        backend: [join, publish]
        webhook: [room_occupied, message]
    `,
    { ...CONTEXT, hasWebhook: true, backendEvents: new Set(['join', 'publish']) },
  );
  expect(rule).toEqual({
    name: 'news',
    match: 'news-*',
    historySize: 1_000,
    historyTtlMs: 604_800_000,
    lastValue: 'server',
    lastValueTtlMs: 604_800_000,
    presence: false,
    presenceEventsLimit: 20,
    publish: 'server',
    join: 'backend',
    maxDataBytes: 4_096,
    maxMembers: 5_000,
    messagesPerSecond: 5,
    backend: new Set(['join', 'publish']),
    webhook: new Set(['room_occupied', 'message']),
    onlyUser: undefined,
  });
});

test('what a rule leaves out comes from the settings', () => {
  const [, rule] = rulesOf('rooms:\n  - match: a\n  - match: b\n    history: { size: 3 }\n');
  expect(rule).toEqual({ ...CONTEXT.defaults, match: 'b', name: 'rule-2', historySize: 3 });
});

test.each([
  ['90s', 90_000],
  ['15m', 900_000],
  ['12h', 43_200_000],
  ['7d', 604_800_000],
  ['0', 0],
  ['0s', 0],
])('a ttl of %s is %i ms', (ttl, ms) => {
  expect(rulesOf(`rooms: [{match: a, history: {ttl: ${ttl}}}]`)[0]?.historyTtlMs).toBe(ms);
});

test.each(['true', 'false', 'server'])('last_value may be %s', (value) => {
  const kinds = { true: 'any', false: 'off', server: 'server' };
  const [rule] = rulesOf(`rooms: [{match: a, last_value: ${value}}]`);
  expect(rule?.lastValue).toBe(kinds[value as keyof typeof kinds]);
});

test.each([
  ['JSON', '{"rooms": [{"match": "a"}]}'],
  ['JSON with tabs', '{\n\t"rooms": [\n\t\t{"match": "a"}\n\t]\n}\n'],
  ['a byte order mark', '\uFEFFrooms:\n- match: a\n'],
  ['Windows lines', 'rooms:\r\n  - match: a\r\n'],
  ['anchors', 'rooms:\n  - &a { match: a, history: &h { size: 0 } }\n'],
  ['the marks of one document', '---\nrooms: [{match: a}]\n...\n'],
])('%s can be read', (_, text) => {
  expect(rulesOf(text).map(({ match }) => match)).toEqual(['a']);
});

test('an alias stands for the values of its anchor', () => {
  const rules = rulesOf('rooms:\n  - { match: a, history: &h { size: 7 } }\n  - { match: b, history: *h }\n');
  expect(rules.map(({ historySize }) => historySize)).toEqual([7, 7]);
});

test('a file may have no rule', () => {
  expect(rulesOf('rooms: []')).toEqual([]);
});

test('all faults are told at once, each with its line', () => {
  const text = `rooms:
  - name: News!
    match: "news-*"
    history: { size: -1, ttl: 7x }
    histori: 1
  - max_members: 0
  - match: b
    match: c
    webhook: [message]
extra: 1
`;
  const lines = faultsOf(text);
  expect(lines.map((line) => /^f, line (\d+): (?:rule \d: )?([^:]*)/.exec(line)?.slice(1))).toEqual([
    ['2', 'name'],
    ['4', 'history.size'],
    ['4', 'history.ttl'],
    ['5', 'the key "histori" is unknown; allowed'],
    ['6', 'match is missing; allowed'],
    ['6', 'max_members'],
    ['8', 'the key "match" is already given in line 7'],
    ['9', 'webhook'],
    ['10', 'the key "extra" is unknown; allowed'],
  ]);
});

describe('a key with a wrong value', () => {
  test.each([
    'name: News',
    `name: ${'x'.repeat(33)}`,
    'history: 5',
    'history: { size: 10001 }',
    'history: { size: 1.5 }',
    'history: { size: "5" }',
    'history: { ttl: 5 }',
    'history: { ttl: "0" }',
    'history: { ttl: 8d }',
    'history: { ttl: 1.5h }',
    'history: { ttl: -1s }',
    'history: { max: 5 }',
    'last_value: yes',
    'presence: false',
    'presence: { enabled: "false" }',
    'presence: { events_limit: -1 }',
    'publish: all',
    'join: nobody',
    'max_data_bytes: 0',
    'max_members: many',
    'messages_per_second: 0',
    'backend: join',
    'backend: [call]',
    'webhook: [everything]',
    'webhook:',
    '__proto__: { publish: nobody }',
    'constructor: 1',
    '1: 2',
    '? [a, b]\n    : c',
    '<<: { publish: nobody }',
  ])('%s', (key) => {
    const faults = faultsWith(key, {
      ...CONTEXT,
      hasWebhook: true,
      backendEvents: new Set(['join', 'call']),
    });
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(/^f, line 3: /);
  });

  test.each([
    ['', 'is not valid'],
    ['a b', 'is not valid'],
    ['é', 'is not valid'],
    ['{room}', 'is not valid'],
    ['@global', 'means no room'],
    ['@direct', 'means no room'],
    ['@*', 'means no room'],
    ['@{user}', 'means no room'],
    ['{user}-{user}', 'more than once'],
    ['a'.repeat(641), 'is not valid'],
  ])('match: %s', (match, why) => {
    const faults = faultsOf(`rooms:\n  - match: ${JSON.stringify(match)}\n`);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(why);
  });
});

test.each(['*', '{user}', '*{user}*', 'a-{user}-*', 'news:*', '*@*', '_x'])('match may be %s', (match) => {
  expect(faultsOf(JSON.stringify({ rooms: [{ match }] }))).toEqual([]);
});

describe('a file that is no list of rules', () => {
  test.each([
    ['', 'empty'],
    ['# nothing\n', 'empty'],
    ['---\n', 'empty'],
    ['null', 'empty'],
    ['rooms:\n', 'a list of rules'],
    ['rooms: {}\n', 'a list of rules'],
    ['- match: a\n', 'rooms'],
    ['hello', 'rooms'],
    ['{}', 'rooms is missing'],
    ['rooms:\n\t- match: a\n', 'line 2: not valid YAML: Tabs'],
    ['rooms: []\n---\nrooms: []\n', 'another document begins here'],
    ['rooms: []\nrooms: []\n', 'line 2: the key "rooms" is already given in line 1'],
    ['rooms: [{match: "a}]', 'not valid YAML'],
    ['rooms: !rules []', 'not valid YAML: Unresolved tag'],
    ['rooms: *a', 'the alias *a names no anchor above it'],
    ['rooms: &a [*a]', 'the alias *a is inside of what it stands for'],
  ])('%j', (text, why) => {
    expect(faultsOf(text).join('\n')).toContain(why);
  });

  test('aliases that explode are refused before they are written out', () => {
    const levels = 'abcdefghijklmnop'.split('');
    const lines = levels.map((level, index) => {
      const inner = index === 0 ? '"x"' : `*${levels[index - 1]}`;
      return `${level}: &${level} [${Array(10).fill(inner).join(',')}]`;
    });
    const faults = faultsOf(`${lines.join('\n')}\nrooms: *p\n`);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(/^f, line \d+: up to here the file holds more than 100000 values/);
  });

  test('values that are nested too deeply are refused in one sentence', () => {
    expect(faultsOf(`rooms: ${'['.repeat(20_000)}`)).toEqual(['f, line 1: the values are nested too deeply']);
  });

  test('a file with thousands of faults tells some of them', () => {
    const keys = Array.from({ length: 5_000 }, (_, index) => `k${index}: 1`);
    const faults = faultsOf(`rooms: []\n${keys.join('\n')}\n`);
    expect(faults).toHaveLength(201);
    expect(faults.at(-1)).toBe('f: 4800 more faults');
  });
});

describe('what contradicts the settings', () => {
  const backend = { ...CONTEXT, backendEvents: new Set(['connect', 'publish']) };

  test.each([
    ['max_data_bytes: 65537', CONTEXT, 'MAX_MESSAGE_BYTES (65536)'],
    ['join: backend', CONTEXT, 'BACKEND_URL is not set'],
    ['join: backend', backend, 'BACKEND_EVENTS does not contain join'],
    ['backend: [publish]', CONTEXT, 'BACKEND_URL is not set'],
    ['backend: [publish, leave]', backend, '"leave" is not in BACKEND_EVENTS (connect,publish)'],
    ['backend: [publish, publish]', backend, 'twice'],
    ['webhook: [message]', CONTEXT, 'WEBHOOK_URL is not set'],
    ['webhook: [message, message]', { ...CONTEXT, hasWebhook: true }, 'twice'],
  ])('%s is a fault', (key, context, why) => {
    const faults = faultsWith(key, context);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(why);
    expect(faults[0]).toMatch(/^f, line 3: rule 1: /);
  });

  test('join: backend together with a list that leaves join out is a fault', () => {
    const context = { ...CONTEXT, backendEvents: new Set(['join', 'publish']) };
    expect(faultsWith('join: backend\n    backend: [publish]', context)).toHaveLength(1);
  });

  test.each([
    ['max_data_bytes: 65536', CONTEXT],
    ['webhook: []', CONTEXT],
    ['backend: []', CONTEXT],
    ['backend: [publish]', backend],
    ['join: backend', { ...CONTEXT, backendEvents: new Set(['join']) }],
  ])('%s is none', (key, context) => {
    expect(faultsWith(key, context)).toEqual([]);
  });
});

test('a rule that no room reaches is no fault, but a warning', () => {
  const read = readRules('rooms:\n  - match: a\n  - match: a\n  - match: "*"\n  - match: b\n', CONTEXT);
  if (read.rules === undefined) throw new Error('not valid');
  expect(linesOf(read.warnings, 'f')).toEqual([
    'f, line 3: rule 2 holds for no room, because rule 1 fits all of its rooms',
    'f, line 5: rule 4 holds for no room, because rule 3 fits all of its rooms',
  ]);
});
