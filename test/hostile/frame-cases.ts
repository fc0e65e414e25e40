import { ERRORS } from '../../src/protocol/error-codes.ts';
import { closing, fragments, frame, OPCODE, pieces, text } from './wire.ts';
import type { Random } from './random.ts';

/** `MAX_MESSAGE_BYTES` of the pod that is attacked. */
const LIMIT = 65_536;

export type Dialect = 'message' | 'channel';

/** What may come back: codes of an error, or `none` for no error at all. */
export type Answer = 'none' | keyof typeof ERRORS;

/** A text message that leaves the connection open. */
export interface Survivable {
  readonly kind: string;
  readonly payload: string;
  readonly allowed: readonly Answer[];
}

/** What ends a connection, and the close codes that may come; 1006: the server ends it without a close frame. */
export interface Fatal {
  readonly kind: string;
  readonly bytes: readonly Buffer[];
  readonly codes: readonly number[];
  /** What the client does after it: most wait for the close frame. */
  readonly after?: 'fin' | 'reset';
}

/** Whatever is documented, but never `internal`: nothing that a client sends is the server's own fault. */
const ANY_ANSWER: readonly Answer[] = [
  'none',
  ...Object.keys(ERRORS).filter((code): code is keyof typeof ERRORS => code !== 'internal'),
];

/** Rooms are few, so that what is kept of them soon stops growing. */
const ROOMS = ['fuzz-1', 'fuzz-2', 'fuzz-3', 'constructor', 'toString', 'hasOwnProperty', 'fuzz:@.-_'];

/** For what is large: mostly a room that nobody listens to, else the attack would be one on its own clients. */
function heavyRoom(random: Random): string {
  return random.chance(0.9) ? 'fuzz-quiet' : random.pick(ROOMS);
}

const BAD_ROOMS = [
  '-x',
  '_x',
  '.x',
  ':x',
  '@x',
  '@global',
  '@direct',
  '__proto__',
  'a b',
  'a/b',
  'a\r\nSet-Cookie: x',
  'a\nb',
  'a\0b',
  'é',
  '🦀',
  '\ud800',
  '%00',
  'a,b',
  'a"b',
  'a\\b',
  '{x}',
  '*',
  'x'.repeat(129),
  'x'.repeat(60_000),
  ' a',
  'a ',
  '\u202ea',
];

const NO_STRINGS: readonly unknown[] = [
  0,
  1,
  -1,
  true,
  false,
  {},
  [],
  ['chat'],
  { type: 'chat' },
  1e308,
  { toString: 'x' },
];
const NO_OBJECTS: readonly unknown[] = [0, 5, true, 'x', [], [{}], ''];
const NO_COUNTS: readonly unknown[] = [-1, 1.5, '5', true, {}, [], [5], 2 ** 53, 1e300, -0.5];

const NO_JSON = [
  '',
  ' ',
  '{',
  '}',
  '[',
  '{"',
  '{"type"',
  '{"type":',
  '{"type":"chat"',
  '{"type":"chat",}',
  '{"a":}',
  "{'type':'chat'}",
  '{type:"chat"}',
  'nul',
  'nulll',
  'undefined',
  'NaN',
  'Infinity',
  '{"a":NaN}',
  '{"a":01}',
  '{"a":+1}',
  '{"a":.5}',
  '{"a":1.}',
  '{"a":0x10}',
  '{"a":1e}',
  '{"a":"\n"}',
  '{"a":"\0"}',
  '{"a":"\\x41"}',
  '{"a":"\\u12"}',
  '{"a":1}{"b":2}',
  '{"a":1} x',
  '\ufeff{}',
  '/**/{}',
  '{"a":1}//',
  'ping',
  'GET / HTTP/1.1\r\n\r\n',
  '<xml/>',
  '42["chat",{}]',
  '\0',
  '\0{}',
];
const NO_OBJECT = [
  'null',
  'true',
  'false',
  '0',
  '-0',
  '1e999',
  '"chat"',
  '""',
  '[]',
  '[{}]',
  '[{"type":"chat"}]',
  '[null]',
  '1.5',
];

/** Frames as a proper client sends them; mutations begin with these. */
const VALID: Record<Dialect, readonly object[]> = {
  message: [
    {
      type: 'chat',
      room: 'fuzz-1',
      data: { text: 'hi', n: 1.5, list: [1, 2, null] },
      event: 'said',
      ref: '1',
    },
    { type: 'notification', room: 'fuzz-2', data: 'é 🦀', ref: '2' },
    { type: 'chat', room: 'fuzz-1', data: true, ephemeral: true },
    { type: 'chat', to: 'bob', data: {} },
    { type: 'join', room: 'fuzz-3', last_id: '0-0', history: 50, ref: '3' },
    { type: 'leave', room: 'fuzz-3', ref: '4' },
    { type: 'presence', room: 'fuzz-1', data: { status: 'away', meta: { device: 'phone' } } },
    { type: 'ping', ref: '5' },
    { type: 'auth', data: { token: 'a.b.c' }, ref: '6' },
  ],
  channel: [
    { type: 'subscribe', channel: 'fuzz-1', listen: ['broadcast', 'presence'], ref: '1' },
    { type: 'subscribe', channel: '@global', ref: '2' },
    { type: 'unsubscribe', channel: 'fuzz-1', ref: '3' },
    { type: 'broadcast', channel: 'fuzz-1', event: 'e', payload: { text: 'hi' }, ref: '4' },
    { type: 'presence_join', channel: 'fuzz-2', payload: { name: 'A' } },
    { type: 'presence_update', channel: 'fuzz-2', payload: { name: 'A', status: 'typing' } },
    { type: 'presence_leave', channel: 'fuzz-2' },
    { type: 'auth', token: 'a.b.c', ref: '5' },
  ],
};

/** JSON in which `"@"` stands for text that is no JavaScript value: huge numbers, deep nesting, `__proto__`. */
function withRaw(value: object, raw: string): string {
  return JSON.stringify(value).replace('"@"', () => raw);
}

function deep(random: Random): string {
  const open = random.pick(['[', '{"a":', '[[', '{"__proto__":', '[{"b":']);
  const most = Math.floor((LIMIT - 1_000) / (open.length * 2));
  const depth = random.chance(0.5) ? random.int(1, 500) : random.int(500, most);
  const shut = open
    .split('')
    .toReversed()
    .map((one) => ({ '[': ']', '{': '}' })[one] ?? '')
    .join('');
  return `${open.repeat(depth)}1${shut.repeat(depth)}`;
}

function hugeNumber(random: Random): string {
  const digits = (): string => String(random.int(1, 9)).repeat(random.int(1, 2_000));
  return random.pick([
    () => '1e999',
    () => '-1e999',
    () => '1e-999',
    () => '-0',
    () => '9007199254740993',
    () => '1E+308',
    () => '5e-324',
    digits,
    () => `-${digits()}`,
    () => `0.${digits()}`,
    () => `1e${digits()}`,
    () => `[${'1e400,'.repeat(random.int(1, 500))}0]`,
  ])();
}

/** Lone surrogates, controls, separators: all well-formed JSON. */
function oddString(random: Random): string {
  return random.pick([
    '"\\ud800"',
    '"\\udfff\\ud800"',
    '"\\u0000"',
    '"\\r\\n\\r\\n"',
    '"\\u2028\\u2029"',
    '"\\u202e"',
    '"<script>"',
    `"${'\\u0000'.repeat(random.int(1, 5_000))}"`,
  ]);
}

const PROTO = [
  '{"__proto__":{"polluted":1}}',
  '{"constructor":{"prototype":{"polluted":1}}}',
  '{"__proto__":null}',
  '{"toJSON":1,"then":1,"valueOf":1}',
  '{"length":-1}',
  '{"hasOwnProperty":1}',
  '[{"__proto__":[]}]',
  '{"":{"":{"":1}}}',
];

type Generator = (random: Random) => Survivable;

function survivable(kind: string, payload: string | object, ...allowed: Answer[]): Survivable {
  return { kind, payload: typeof payload === 'string' ? payload : JSON.stringify(payload), allowed };
}

/** What is the same in both dialects. */
const COMMON: readonly Generator[] = [
  (random) => survivable('no JSON', random.pick(NO_JSON), 'invalid_json'),
  (random) => survivable('JSON but no object', random.pick(NO_OBJECT), 'invalid_json'),
  (random) => judged('printable noise', random.text(random.int(0, 300))),
  (random) =>
    judged(
      'any noise',
      [...random.bytes(random.int(0, 200))].map((byte) => String.fromCodePoint(byte * 7)).join(''),
    ),
  (random) =>
    survivable(
      'an array too deep to say',
      random.pick(['[', '{"a":']).repeat(random.int(1, 10_000)),
      'invalid_json',
    ),
  (random) => {
    const type = random.pick([
      'constructor',
      '__proto__',
      'toString',
      'CHAT',
      'chat ',
      ' ping',
      'pïng',
      'chat\0',
      '\ud800',
      'x'.repeat(1_000),
      'connect',
      'null',
      'subscribe ',
      'JOIN',
    ]);
    return survivable(
      'an unknown type',
      { type, room: 'fuzz-1', channel: 'fuzz-1', data: 1 },
      'unknown_type',
    );
  },
  (random) =>
    survivable(
      'a type that is no string',
      { type: random.pick(NO_STRINGS), channel: 'fuzz-1' },
      'invalid_message',
    ),
];

const MESSAGE: readonly Generator[] = [
  (random) =>
    survivable(
      'a type of the server',
      { type: random.pick(['system', 'error', 'ack', 'pong']), data: {} },
      'type_not_allowed',
    ),
  (random) => {
    const field = random.pick(['event', 'to']);
    return survivable(
      `${field} is no string`,
      { type: 'chat', room: 'fuzz-1', [field]: random.pick(NO_STRINGS) },
      'invalid_message',
    );
  },
  (random) => {
    const type = random.pick(['chat', 'notification', 'ping', 'join', 'leave', 'presence']);
    const ref = random.pick<unknown>(['', 'x'.repeat(65), 'x'.repeat(50_000), ...NO_STRINGS]);
    return survivable('ref is wrong', { type, room: 'fuzz-1', ref }, 'invalid_message');
  },
  (random) =>
    survivable(
      'ephemeral is wrong',
      { room: 'fuzz-1', ephemeral: random.pick<unknown>(['true', 1, {}, [], 0, 'x']) },
      'invalid_message',
    ),
  (random) =>
    survivable(
      'to is nobody',
      {
        to: random.pick([
          'system',
          '@x',
          '@global',
          'conn:',
          'a\nb',
          'a\0',
          '\ud800',
          'x'.repeat(257),
          '\u202e',
        ]),
      },
      'invalid_message',
    ),
  () => survivable('both room and to', { room: 'fuzz-1', to: 'bob' }, 'invalid_message'),
  (random) => {
    const room = random.pick<unknown>([...BAD_ROOMS, 5, true, {}, [], ['fuzz-1']]);
    const frame = random.pick<object>([
      { room },
      { type: 'join', room },
      { type: 'leave', room },
      { type: 'presence', room },
      { type: 'join', data: { room } },
    ]);
    return survivable('a bad room', frame, 'invalid_room');
  },
  (random) =>
    survivable(
      'last_id is no string',
      { type: 'join', room: 'fuzz-1', last_id: random.pick(NO_STRINGS) },
      'invalid_message',
    ),
  (random) =>
    survivable(
      'history is no count',
      { type: 'join', room: 'fuzz-1', history: random.pick(NO_COUNTS) },
      'invalid_message',
    ),
  (random) =>
    survivable(
      'a status that is none',
      {
        type: 'presence',
        room: 'fuzz-1',
        data: { status: random.pick<unknown>(['', 'busy', 'toString', '__proto__', 1, {}, [], true]) },
      },
      'invalid_message',
    ),
  (random) =>
    survivable(
      'meta is no object',
      { type: 'presence', room: 'fuzz-1', data: { meta: random.pick(NO_OBJECTS) } },
      'invalid_message',
    ),
  (random) =>
    survivable(
      'auth without a token',
      { type: 'auth', data: random.pick<unknown>([{}, null, 5, 'x', [], { token: 5 }, { token: '' }]) },
      'invalid_message',
    ),
  (random) =>
    survivable(
      'auth while it is off',
      { type: 'auth', data: { token: random.text(random.int(1, 500)) } },
      'forbidden',
    ),
  (random) =>
    survivable(
      'a room it is not in',
      { type: random.pick(['leave', 'presence']), room: `none-${random.int(1, 99)}`, data: {} },
      'not_in_room',
    ),
  () => survivable('no room at all', { type: 'join' }, 'invalid_room'),
  (random) =>
    survivable(
      'deep data',
      withRaw({ room: heavyRoom(random), data: '@' }, deep(random)),
      'none',
      'invalid_message',
    ),
  (random) =>
    survivable('a huge number', withRaw({ room: random.pick(ROOMS), data: '@' }, hugeNumber(random)), 'none'),
  (random) =>
    survivable(
      'a huge history',
      withRaw(
        { type: 'join', room: 'fuzz-1', history: '@' },
        random.pick(['1e999', '-1e999', '9'.repeat(400)]),
      ),
      'invalid_message',
    ),
  (random) =>
    survivable(
      'a prototype in data',
      withRaw({ room: random.pick(ROOMS), data: '@' }, random.pick(PROTO)),
      'none',
    ),
  (random) =>
    survivable(
      'a prototype in meta',
      withRaw(
        { type: 'presence', room: 'fuzz-1', data: { meta: '@' } },
        random.pick(['{"__proto__":{"x":1}}', '{"constructor":1}']),
      ),
      'none',
      'not_in_room',
    ),
  (random) =>
    survivable(
      'a prototype beside the fields',
      `{"__proto__":${random.pick(['{"type":"system"}', 'null', '[]', '"x"', '{"room":"@x"}'])},"type":"ping"}`,
      'none',
    ),
  (random) =>
    survivable(
      'an odd string',
      withRaw({ room: random.pick(ROOMS), event: '@', data: 1 }, oddString(random)),
      'none',
    ),
  (random) =>
    survivable(
      'a field many times',
      `{${'"type":"system",'.repeat(random.int(1, 2_000))}"type":"ping"}`,
      'none',
    ),
  (random) =>
    survivable(
      'thousands of fields',
      `{${Array.from({ length: random.int(1, 4_000) }, (_, n) => `"${n}":0`).join(',')},"type":"ping"}`,
      'none',
    ),
  (random) =>
    survivable(
      'a position that is none',
      {
        type: 'join',
        room: random.pick(ROOMS),
        last_id: random.pick([
          '0',
          '-',
          '0-0',
          '9999999999999-0',
          'é',
          random.text(200),
          '__proto__',
          '$',
          '+',
          '*',
          '>',
        ]),
        history: random.int(0, 10),
      },
      'none',
    ),
  (random) =>
    survivable(
      'at the limit',
      sized({ room: heavyRoom(random), data: '' }, random.int(LIMIT - 2, LIMIT)),
      'none',
    ),
  (random) =>
    survivable(
      'to somebody who is not there',
      { to: random.pick(['__proto__', 'constructor', 'conn:x', 'conn:__proto__', 'nobody', '💥']), data: 1 },
      'none',
    ),
];

const CHANNEL: readonly Generator[] = [
  (random) =>
    survivable(
      'a type of the server',
      {
        type: random.pick(['presence_sync', 'subscribed', 'unsubscribed', 'ack', 'error', 'drain']),
        channel: 'fuzz-1',
      },
      'type_not_allowed',
    ),
  () => survivable('no type', { channel: 'fuzz-1' }, 'unknown_type'),
  (random) => {
    const type = random.pick([
      'subscribe',
      'unsubscribe',
      'broadcast',
      'presence_join',
      'presence_update',
      'presence_leave',
    ]);
    const channel = random.pick<unknown>([
      ...BAD_ROOMS.filter((name) => !name.startsWith('@')),
      undefined,
      null,
      '',
      5,
      {},
      [],
      ['fuzz-1'],
      '@',
      '@here',
    ]);
    return survivable('a bad channel', { type, channel, payload: {} }, 'invalid_room');
  },
  (random) =>
    survivable(
      'ref is wrong',
      {
        type: 'subscribe',
        channel: 'fuzz-1',
        ref: random.pick<unknown>(['', 'x'.repeat(65), ...NO_STRINGS]),
      },
      'invalid_message',
    ),
  (random) =>
    survivable(
      'listen is wrong',
      {
        type: 'subscribe',
        channel: 'fuzz-1',
        listen: random.pick<unknown>([
          'broadcast',
          {},
          5,
          true,
          ['x'],
          ['constructor'],
          ['__proto__'],
          ['toString'],
          [['broadcast']],
          [null],
          [5],
        ]),
      },
      'invalid_message',
    ),
  (random) =>
    survivable(
      'history is no count',
      { type: 'subscribe', channel: 'fuzz-1', history: random.pick(NO_COUNTS) },
      'invalid_message',
    ),
  (random) =>
    survivable(
      'last_id is no string',
      { type: 'subscribe', channel: 'fuzz-1', last_id: random.pick(NO_STRINGS) },
      'invalid_message',
    ),
  (random) =>
    survivable(
      'event is no string',
      { type: 'broadcast', channel: 'fuzz-1', event: random.pick(NO_STRINGS) },
      'invalid_message',
    ),
  (random) =>
    survivable(
      'payload is no object',
      {
        type: random.pick(['presence_join', 'presence_update']),
        channel: 'fuzz-1',
        payload: random.pick(NO_OBJECTS),
      },
      'invalid_message',
    ),
  () => survivable('auth without a token', { type: 'auth' }, 'invalid_message'),
  () => survivable('auth while it is off', { type: 'auth', token: 'a.b.c' }, 'forbidden'),
  (random) =>
    survivable(
      'deep payload',
      withRaw({ type: 'broadcast', channel: heavyRoom(random), payload: '@' }, deep(random)),
      'none',
      'invalid_message',
    ),
  (random) =>
    survivable(
      'a huge number',
      withRaw({ type: 'broadcast', channel: random.pick(ROOMS), payload: '@' }, hugeNumber(random)),
      'none',
    ),
  (random) =>
    survivable(
      'a prototype in payload',
      withRaw(
        { type: random.pick(['broadcast', 'presence_join']), channel: random.pick(ROOMS), payload: '@' },
        random.pick(PROTO.slice(0, 5)),
      ),
      'none',
    ),
  (random) =>
    survivable(
      'an odd string',
      withRaw({ type: 'broadcast', channel: random.pick(ROOMS), event: '@' }, oddString(random)),
      'none',
    ),
  (random) =>
    survivable(
      'a list of many times the same',
      {
        type: 'subscribe',
        channel: random.pick(ROOMS),
        listen: Array(random.int(0, 4_000)).fill('broadcast'),
      },
      'none',
    ),
  (random) =>
    survivable(
      'at the limit',
      sized({ type: 'broadcast', channel: heavyRoom(random), payload: '' }, random.int(LIMIT - 2, LIMIT)),
      'none',
    ),
];

/** A frame of exactly so many bytes, by what is put into its empty string. */
function sized(fields: object, bytes: number): string {
  const empty = JSON.stringify(fields);
  return empty.replace('""', () => `"${'x'.repeat(bytes - empty.length)}"`);
}

/** What must come back is found by another reader of the same rules. */
function judged(kind: string, payload: string): Survivable {
  return { kind, payload, allowed: isObject(payload) ? ANY_ANSWER : ['invalid_json'] };
}

function isObject(json: string): boolean {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/** A message that a client might send in order to do harm; the connection must survive it. */
export function survivableFrame(random: Random, dialect: Dialect): Survivable {
  if (random.chance(0.25)) return mutatedText(random, dialect);
  const own = dialect === 'message' ? MESSAGE : CHANNEL;
  return random.pick(random.chance(0.2) ? COMMON : own)(random);
}

function mutatedText(random: Random, dialect: Dialect): Survivable {
  let payload = JSON.stringify(random.pick(VALID[random.chance(0.8) ? dialect : other(dialect)]));
  for (let times = random.int(1, 4); times > 0; times -= 1) {
    const at = random.int(0, payload.length - 1);
    const length = random.int(1, 12);
    const before = payload.slice(0, at);
    payload = random.pick([
      () => before + random.text(1) + payload.slice(at + 1),
      () => before + payload.slice(at + length),
      () =>
        before +
        random.pick([
          '"',
          '\\',
          '{',
          '}',
          '[',
          ']',
          ',',
          ':',
          '\0',
          'null',
          '__proto__',
          '\\u0000',
          '1e999',
          '🦀',
        ]) +
        payload.slice(at),
      () => before + payload.slice(at, at + length) + payload.slice(at),
      () => before,
    ])();
    if (payload === '') break;
  }
  return judged('a mutated frame', payload);
}

function other(dialect: Dialect): Dialect {
  return dialect === 'message' ? 'channel' : 'message';
}

const BROKEN_UTF8 = [
  'ff',
  'fe',
  '80',
  'bf',
  'c0af',
  'c1bf',
  'e080af',
  'f08080af',
  'eda080',
  'edbfbf',
  'eda080edb080',
  'f4908080',
  'f7bfbfbf',
  'f888808080',
  'fc8480808080',
  'e2',
  'e282',
  'f09f',
  'f09f92',
  'c3',
  'c320',
  'e228a1',
  'f0288cbc',
].map((hex) => Buffer.from(hex, 'hex'));

function brokenUtf8(random: Random): Buffer {
  const [before, after] = random.pick([
    ['{"type":"chat","room":"fuzz-1","data":"', '"}'],
    ['', ''],
    ['{"type":"ping","ref":"é', '"}'],
    ['{"', '":1}'],
  ] as const);
  return Buffer.concat([Buffer.from(before), random.pick(BROKEN_UTF8), Buffer.from(after)]);
}

const BAD_CLOSE_CODES = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535];
const GOOD_CLOSE_CODES = [
  1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4401, 4999,
];

const CONTROL: readonly number[] = [OPCODE.close, OPCODE.ping, OPCODE.pong];
const RESERVED = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15];

const FATAL: readonly ((random: Random) => Fatal)[] = [
  (random) => {
    const opcode = random.pick([OPCODE.text, OPCODE.ping, OPCODE.pong, OPCODE.close]);
    const payload = opcode === OPCODE.close ? Buffer.of(3, 232) : '{}';
    return fatal('not masked', [1002], frame(opcode, payload, { masked: false }));
  },
  (random) => {
    const opcode = random.pick([OPCODE.text, OPCODE.binary, OPCODE.ping, OPCODE.pong, OPCODE.close, 3, 15]);
    return fatal(
      'reserved bits',
      [1002],
      frame(opcode, '', { reserved: random.int(1, 7), masked: random.chance(0.5) }),
    );
  },
  (random) =>
    fatal(
      'a reserved opcode',
      [1002],
      frame(random.pick(RESERVED), random.bytes(random.int(0, 125)), { fin: random.chance(0.5) }),
    ),
  (random) => fatal('a fragmented control frame', [1002], frame(random.pick(CONTROL), '', { fin: false })),
  (random) =>
    fatal(
      'an oversized control frame',
      [1002],
      frame(random.pick(CONTROL), Buffer.alloc(random.pick([126, 127, 1_000, 65_535, 65_536]))),
    ),
  (random) =>
    fatal(
      'a control frame with a long length',
      [1002],
      frame(random.pick([OPCODE.ping, OPCODE.pong]), 'x', { lengthBits: random.pick([16, 64]) }),
    ),
  (random) => {
    const bytes = text('{"type":"ping"}', { lengthBits: random.pick([16, 64]) });
    return fatal('a length longer than need be', [1000, 1002], bytes, closing(1000));
  },
  (random) => {
    const announced = random.pick([
      2n ** 63n,
      2n ** 64n - 1n,
      2n ** 63n + 5n,
      2n ** 62n,
      2n ** 53n,
      2n ** 53n - 1n,
      2n ** 32n,
      2n ** 31n,
      BigInt(LIMIT + 1),
    ]);
    return fatal(
      'a length that is only announced',
      announced >= 2n ** 63n ? [1002, 1009] : [1009],
      text('{}', { lengthBits: 64, announced }),
    );
  },
  (random) => fatal('over the limit', [1009], text(Buffer.alloc(LIMIT + random.int(1, 3), 0x20))),
  (random) => {
    const parts = pieces(Buffer.alloc(LIMIT + 1, 0x20), random.pick([997, 16_384, 40_000, 65_536]));
    return fatal('over the limit in fragments', [1009], ...fragments(parts));
  },
  (random) =>
    fatal('a continuation of nothing', [1002], frame(OPCODE.continuation, '{}', { fin: random.chance(0.5) })),
  (random) =>
    fatal(
      'a message inside a message',
      [1002],
      text('{', { fin: false }),
      frame(random.pick([OPCODE.text, OPCODE.binary]), '}'),
    ),
  (random) => fatal('binary', [1003], frame(OPCODE.binary, random.bytes(random.int(0, 300)))),
  (random) =>
    fatal(
      'binary in fragments',
      [1003],
      ...fragments([random.bytes(10), '', random.bytes(10)], OPCODE.binary),
    ),
  (random) => fatal('not UTF-8', [1007], text(brokenUtf8(random))),
  (random) => {
    const parts = pieces(brokenUtf8(random), random.int(1, 10)).flatMap((part) =>
      random.chance(0.3) ? ['', part] : [part],
    );
    return fatal('not UTF-8, in fragments', [1007], ...interleaved(random, fragments(parts)));
  },
  (random) =>
    fatal(
      'close with a bad code',
      [1002],
      closing(random.pick(BAD_CLOSE_CODES), random.text(random.int(0, 20))),
    ),
  (random) => fatal('close with one byte', [1002], frame(OPCODE.close, random.bytes(1))),
  (random) => fatal('close with a broken reason', [1007], closing(1000, random.pick(BROKEN_UTF8))),
  (random) => {
    const code = random.pick(GOOD_CLOSE_CODES);
    return fatal('close with a good code', [code], closing(code, random.text(random.int(0, 123))));
  },
  () => fatal('close without a code', [1005], frame(OPCODE.close)),
  (random) =>
    fatal(
      'talk after close',
      [1000],
      closing(1000),
      text('{"type":"ping"}'),
      frame(OPCODE.ping),
      random.bytes(random.int(0, 500)),
    ),
  (random) =>
    fatal(
      'ten bad frames',
      [1008],
      ...Array.from({ length: random.int(10, 15) }, () => text(random.pick(NO_JSON))),
    ),
  (random) =>
    fatal(
      'the message in fragments of one byte, then close',
      [1000],
      ...interleaved(random, fragments('{"type":"ping"}'.split(''))),
      closing(1000),
    ),
  (random) =>
    fatal(
      'empty fragments, then close',
      [1000],
      ...fragments(Array(random.int(2, 200)).fill('')),
      closing(1000),
    ),
  (random) =>
    fatal(
      'pongs that nobody asked for, then close',
      [1000],
      ...Array(random.int(1, 30)).fill(frame(OPCODE.pong, random.bytes(125))),
      closing(1000),
    ),
  (random) => ({
    ...fatal('half a frame, then the end', [1006], text('{"type":"ping"}').subarray(0, random.int(1, 20))),
    after: 'fin',
  }),
  (random) => ({
    ...fatal('half a frame, then a reset', [1006], text('{"type":"ping"}').subarray(0, random.int(1, 20))),
    after: 'reset',
  }),
  (random) => ({
    ...fatal('half a message, then the end', [1006], text('{"type":', { fin: false })),
    after: random.pick(['fin', 'reset']),
  }),
  () => ({
    ...fatal(
      'a reset in the middle of an answer',
      [1006],
      text('{"type":"join","room":"fuzz-1","history":100}'),
    ),
    after: 'reset',
  }),
];

function fatal(kind: string, codes: readonly number[], ...bytes: Buffer[]): Fatal {
  return { kind, bytes, codes };
}

/** Control frames between the fragments of a message (RFC 6455 section 5.4). */
function interleaved(random: Random, frames: readonly Buffer[]): Buffer[] {
  const [first, ...others] = frames;
  if (first === undefined) return [];
  const between = (): Buffer[] =>
    random.chance(0.3)
      ? [frame(random.pick([OPCODE.ping, OPCODE.pong]), random.bytes(random.int(0, 125)))]
      : [];
  return [first, ...others.flatMap((one) => [...between(), one])];
}

/** What ends a connection. */
export function fatalFrames(random: Random): Fatal {
  // Rare because it is large.
  return random.chance(0.005) ? manyFragments(random) : random.pick(FATAL)(random);
}

function manyFragments(random: Random): Fatal {
  const parts = Array<string>(random.int(16_385, 20_000)).fill('');
  return fatal('more fragments than anybody needs', [1008, 1009], ...fragments(parts));
}

/** Valid frames with some bytes changed, as they go over the wire: anything documented may happen. */
export function mutatedBytes(random: Random): Buffer {
  const valid = [...VALID.message, ...VALID.channel];
  const frames = Array.from({ length: random.int(1, 6) }, () =>
    text(JSON.stringify(random.pick(valid)), { mask: random.bytes(4) }),
  );
  const bytes = Buffer.concat(frames);
  for (let times = random.int(1, 8); times > 0; times -= 1)
    bytes[random.int(0, bytes.length - 1)] = random.int(0, 255);
  return bytes;
}
