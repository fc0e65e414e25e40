import { frame, handshake, OPCODE, text } from './wire.ts';
import type { Random } from './random.ts';

/** A request as bytes, and the status codes that may answer it. */
export interface HostileRequest {
  readonly kind: string;
  readonly bytes: readonly (Buffer | string)[];
  /** Of the one answer, or of each of several; 0: the connection may end without one. */
  readonly allowed: readonly (number | readonly number[])[];
  /** The server would wait for more: the client says that nothing comes. */
  readonly fin?: boolean;
  /** The client resets the connection instead of waiting. */
  readonly reset?: boolean;
}

/** Where a body can be posted. */
export const EVENT_ROUTE = '/api/event';

const EVIL = 'http://evil.example';

/** Text is written byte for byte, so that it may hold what is no UTF-8. */
export function toBytes({ bytes }: HostileRequest): Buffer {
  return Buffer.concat(bytes.map((one) => (typeof one === 'string' ? Buffer.from(one, 'latin1') : one)));
}

type Generator = (random: Random) => HostileRequest;

function request(kind: string, allowed: readonly number[], ...bytes: (Buffer | string)[]): HostileRequest {
  return { kind, bytes, allowed: [allowed] };
}

function plain(target: string, headers: readonly string[] = [], method = 'GET'): string {
  return [`${method} ${target} HTTP/1.1`, 'Host: pod', 'Connection: close', ...headers, '', ''].join('\r\n');
}

function post(headers: readonly string[], body: Buffer | string, path = EVENT_ROUTE): (Buffer | string)[] {
  return [plain(path, headers, 'POST'), body];
}

function json(body: Buffer | string): (Buffer | string)[] {
  const bytes = Buffer.from(body);
  return post(['Content-Type: application/json', `Content-Length: ${bytes.length}`], bytes);
}

/** A pod without the route, or with it: in both cases one of these. 5xx is never right. */
const POSTED = [400, 401, 404, 413, 415];
const SLASHES = [
  '//',
  '///',
  '//ws',
  '//ws/room',
  '//evil.example/ws',
  '//evil.example//ws',
  '//[',
  '//[::1]/ws',
  '//:0/ws',
  '//:99999/ws',
  '//@/ws',
  '//user:pw@evil.example/ws',
  '//\\evil.example/ws',
  '//%2f/ws',
  '//?',
  '//#',
];
const ROOMS = [
  'a%0d%0ab',
  'a%0ab',
  'a%00',
  '%00',
  '%',
  '%zz',
  '%ff',
  '%c0%af',
  '%ed%a0%80',
  '..%2f..',
  '%2e%2e%2fws',
  'a%2fb',
  '-x',
  '@global',
  'x'.repeat(129),
  '%F0%9F%A6%80',
  '__proto__',
  '%20',
  '*',
  '{}',
  '"',
  'a%0d%0aSet-Cookie:x',
];
const USERS = [
  'system',
  'conn:x',
  '@x',
  'a%0d%0ab',
  'a%00b',
  '%ff%00',
  '%e2%80%ae',
  'x'.repeat(257),
  '%1b[31m',
];

const UPGRADES: readonly Generator[] = [
  (random) =>
    request('a target of slashes, upgraded', [400, 404], handshake(random.pick(SLASHES), { Origin: EVIL })),
  (random) =>
    request(
      'a target in absolute form, upgraded',
      [400, 404],
      handshake(
        random.pick([
          `${EVIL}/ws`,
          'ws://pod/ws',
          'http://[/ws',
          'http://',
          'ws:',
          'javascript:1',
          '*',
          'ws',
          'pod:80',
        ]),
      ),
    ),
  (random) =>
    request(
      'a bad room',
      [400],
      handshake(random.pick([`/ws/${random.pick(ROOMS)}`, `/ws?room=${random.pick(ROOMS)}`])),
    ),
  (random) => request('a bad user', [400], handshake(`/ws?user_id=${random.pick(USERS)}`)),
  (random) =>
    request(
      'a bad parameter',
      [400],
      handshake(
        `/ws/r?${random.pick(['dialect=x', 'dialect=__proto__', 'dialect=toString', 'history=-1', 'history=1e9', 'history=9999999999', 'history=%00', 'history=NaN'])}`,
      ),
    ),
  (random) =>
    request(
      'a raw control character',
      [400, 0],
      handshake(`/ws/a${random.pick(['\0', '\r', '\n', '\t', '\u0001', '\u007f'])}b`),
    ),
  (random) =>
    request(
      'a raw byte over 127',
      [400, 404, 0],
      handshake(`/ws/a${String.fromCharCode(random.int(0x80, 0xff))}b`),
    ),
  (random) =>
    request(
      'a wrong key',
      [400],
      handshake('/ws', {
        'Sec-WebSocket-Key': random.pick<string | string[] | null>([
          null,
          '',
          'x',
          'AAAA',
          'A'.repeat(24),
          '!'.repeat(22).concat('=='),
          'AAAAAAAAAAAAAAAAAAAAAA== x',
          ['AAAAAAAAAAAAAAAAAAAAAA==', 'AAAAAAAAAAAAAAAAAAAAAA=='],
        ]),
      }),
    ),
  (random) =>
    request(
      'a wrong version',
      [400, 426],
      handshake('/ws', {
        'Sec-WebSocket-Version': random.pick<string | string[] | null>([
          null,
          '',
          '0',
          '7',
          '14',
          '13, 13',
          '-13',
          '13a',
          'é',
          ['13', '8'],
          ['13', '13'],
        ]),
      }),
    ),
  (random) =>
    request(
      'another upgrade',
      [400, 404, 426],
      handshake(random.pick(['/ws', '/ws/room']), {
        Upgrade: random.pick<string | string[]>([
          'h2c',
          'websocket, h2c',
          'websocket/13',
          'TLS/1.0',
          ['websocket', 'websocket'],
          'web socket',
          'x'.repeat(5_000),
        ]),
      }),
    ),
  (random) =>
    request(
      'another method',
      [400, 404, 405, 426],
      handshake('/ws', {}, random.pick(['POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'PROPFIND'])),
    ),
  (random) =>
    request(
      'a bad subprotocol',
      [400],
      handshake('/ws', {
        'Sec-WebSocket-Protocol': random.pick<string | string[]>([
          ',',
          ',,',
          'a,,b',
          'a, a',
          'crosspod.message.v1, crosspod.message.v1',
          'a b',
          'bearer.x',
          'bearer.x, bearer.y',
          '"a"',
          ['a', 'a'],
          '\u00e9',
        ]),
      }),
    ),
  (random) =>
    request(
      'an odd extension',
      [101, 400],
      handshake('/ws', {
        'Sec-WebSocket-Extensions': random.pick([
          'permessage-deflate',
          'permessage-deflate; client_max_window_bits=99',
          ';;;',
          ',',
          'x'.repeat(5_000),
          'permessage-deflate; '.repeat(200),
          '__proto__',
          'a; b="\\"',
          'é',
        ]),
      }),
    ),
  (random) =>
    request(
      'an unknown subprotocol',
      [101],
      handshake('/ws', {
        'Sec-WebSocket-Protocol': Array.from({ length: random.int(1, 300) }, (_, n) => `p${n}`).join(', '),
      }),
    ),
  () => request('another origin', [101], handshake('/ws', { Origin: 'https://app.example' })),
  (random) =>
    request(
      'an origin that is not allowed',
      [403],
      handshake('/ws', {
        Origin: random.pick<string | string[]>([
          EVIL,
          'null',
          '',
          'http://app.example',
          'https://app.example.evil.example',
          'https://app.example:8443',
          'https://app.example/',
          'https://app.example@evil.example',
          'HTTPS://evil.example',
          ['https://app.example', EVIL],
          [EVIL, 'https://app.example'],
          'https://evil.example#.sub.example',
          'https://x.sub.example.evil',
          'https://evil/.sub.example',
          'https://.sub.example',
        ]),
      }),
    ),
  (random) =>
    request(
      'an upgrade with a body',
      [101, 400, 0],
      handshake('/ws', { 'Content-Length': String(random.int(1, 70_000)) }),
      random.bytes(random.int(0, 2_000)),
    ),
  (random) =>
    request(
      'an upgrade with a chunked body',
      [101, 400, 0],
      handshake('/ws', { 'Transfer-Encoding': 'chunked' }),
      `5\r\nhello\r\n${random.pick(['0\r\n\r\n', 'zz\r\n', ''])}`,
    ),
  (random) =>
    request(
      'frames right behind the upgrade',
      [101],
      handshake('/ws?dialect=message'),
      ...Array<Buffer>(random.int(1, 20)).fill(text('{"type":"ping"}')),
      random.pick([text('!'), frame(OPCODE.binary, ''), frame(3, ''), random.bytes(100)]),
    ),
  (random) => ({
    ...request(
      'a reset right behind the upgrade',
      [0],
      handshake(random.pick(['/ws', '/ws/room', '/nope', '/ws/-x'])),
    ),
    reset: true,
  }),
  (random) => ({
    ...request('a reset within the upgrade', [0], handshake('/ws').slice(0, random.int(1, 120))),
    reset: true,
  }),
  (random) => ({
    ...request('the end within the upgrade', [400, 0], handshake('/ws').slice(0, random.int(1, 120))),
    fin: true,
  }),
];

const PLAIN: readonly Generator[] = [
  (random) => request('a target of slashes', [400, 404], plain(random.pick(SLASHES), [`Origin: ${EVIL}`])),
  (random) =>
    request(
      'a target in absolute form',
      [200, 400, 404, 426],
      plain(
        random.pick([
          `${EVIL}/`,
          `${EVIL}/ws`,
          `${EVIL}//`,
          'http://[/',
          'http://:0/',
          'ftp://evil.example/',
          'x:',
          'http:///',
          'http://evil.example:99999/',
        ]),
      ),
    ),
  (random) =>
    request(
      'a host that is none',
      [200, 400],
      plain('/', []).replace(
        'Host: pod',
        `Host: ${random.pick(['', 'a b', 'evil.example/../', '[', '[::1', 'a@b', ':0', '\u00e9', 'x'.repeat(2_000), 'a\tb', '%00', 'a:b:c', '//', '\\', '?#', 'host:99999'])}`,
      ),
    ),
  () => request('no host', [400], 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n'),
  () => request('two hosts', [200, 400], plain('/', ['Host: evil.example'])),
  (random) =>
    request(
      'a raw control character in a name',
      [400, 0],
      plain('/', [`X${random.pick(['\0', '\r', ' ', '\u007f', '\u0001', '\t', '(', '@'])}Y: 1`]),
    ),
  (random) =>
    request(
      'a raw control character in a value',
      [400, 0],
      plain('/', [`X-Y: a${random.pick(['\0', '\rb', '\u0001', '\u007f', '\nb'])}`]),
    ),
  (random) => request('a folded header', [200, 400], plain('/', ['X-Y: a', `${random.pick([' ', '\t'])}b`])),
  () =>
    request(
      'two lengths',
      [400],
      plain(
        EVENT_ROUTE,
        ['Content-Length: 5', 'Content-Length: 6', 'Content-Type: application/json'],
        'POST',
      ),
      '{"a":1}',
    ),
  () =>
    request(
      'a length and chunks',
      [400],
      plain(EVENT_ROUTE, ['Content-Length: 5', 'Transfer-Encoding: chunked'], 'POST'),
      '0\r\n\r\nGET /ws/stats HTTP/1.1\r\nHost: pod\r\n\r\n',
    ),
  (random) =>
    request(
      'an odd length',
      [400],
      plain(
        EVENT_ROUTE,
        [
          `Content-Length: ${random.pick(['-1', '+5', '0x5', '5, 5', '1e1', '99999999999999999999', 'five'])}`,
        ],
        'POST',
      ),
      '{"a":1}',
    ),
  (random) => ({
    ...request(
      'an odd coding',
      [400, 404, 413, 415, 501, 0],
      plain(
        EVENT_ROUTE,
        [
          `Transfer-Encoding: ${random.pick(['gzip', 'chunked, chunked', 'identity', 'xchunked', 'chunked, gzip', 'Chunked\u000b'])}`,
        ],
        'POST',
      ),
      '0\r\n\r\n',
    ),
    fin: true,
  }),
  (random) => request('huge headers', [431], plain('/', [`X: ${'x'.repeat(random.int(17_000, 60_000))}`])),
  (random) => request('a huge target', [414, 431], plain(`/${'x'.repeat(random.int(17_000, 60_000))}`)),
  (random) =>
    request(
      'a huge target, upgraded',
      [414, 431],
      handshake(`/ws?token=${'x'.repeat(random.int(17_000, 60_000))}`),
    ),
  (random) =>
    request(
      'thousands of headers',
      [200, 431],
      plain(
        '/',
        Array.from({ length: random.int(1_000, 3_000) }, (_, n) => `h${n}:`),
      ),
    ),
  (random) => ({ ...request('noise', [400, 431, 0], random.bytes(random.int(1, 3_000))), fin: true }),
  (random) => ({
    ...request(
      'another protocol',
      [400, 404, 426, 505, 0],
      random.pick<Buffer | string>([
        Buffer.from('160301020001000', 'hex'),
        'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
        'SSH-2.0-x\r\n',
        'GET /\r\n\r\n',
        'GET / HTTP/9.9\r\n\r\n',
        'get / http/1.1\r\n\r\n',
        'GET  / HTTP/1.1\r\n\r\n',
        'EHLO x\r\n',
        '*1\r\n$4\r\nPING\r\n',
        '\r\n\r\n\r\n',
        'GET / HTTP/1.1\n\n',
        '\0',
      ]),
    ),
    fin: true,
  }),
  (random) =>
    request(
      'an odd method',
      [400, 404, 405, 426, 501, 0],
      plain(
        random.pick(['/', '/ws', '*', 'evil.example:443']),
        [],
        random.pick(['TRACE', 'CONNECT', 'OPTIONS', 'LINK', 'PURGE', 'X', 'M-SEARCH', 'QUERY', 'SOURCE']),
      ),
    ),
  (random) =>
    request(
      'an odd expectation',
      [200, 400, 417],
      plain('/', [`Expect: ${random.pick(['100-continue', 'x', '200-ok', ''])}`]),
    ),
  (random) =>
    request(
      'an odd range',
      [200, 206, 304, 416],
      plain('/', [
        random.pick([
          'Range: bytes=99999-0',
          'If-None-Match: *',
          'If-None-Match: "',
          'If-Modified-Since: x',
          'Accept-Encoding: *;q=-1',
        ]),
      ]),
    ),
  (random) =>
    request(
      'a path that climbs',
      [400, 404, 426],
      plain(
        random.pick([
          '/assets/web/../../config.ts',
          '/assets/..%2f/config.ts',
          '/assets/core/hub.ts',
          '/assets/web/..%2f..%2fmain.ts',
          '/assets/web/%2e%2e',
          '/assets/web/chat.ts%00',
          '/assets/__proto__/x.ts',
          '/.env',
          '/../etc/passwd',
          '/%2e%2e/%2e%2e/etc/passwd',
          '/assets/web//etc/passwd',
          '/ws/%ff',
          '/%',
          '/%zz',
          '/assets/%/x.ts',
          '/assets/web/%.ts',
        ]),
      ),
    ),
  (random) => ({ ...request('pipelined requests', [200]), ...pipeline(random) }),
  (random) => ({
    ...request('a reset within a request', [0], plain('/').slice(0, random.int(1, 40))),
    reset: true,
  }),
  () => ({ ...request('a reset while the answer comes', [0], plain('/playground')), reset: true }),
];

/** Several requests in one write: as many answers, in order. */
function pipeline(random: Random): Pick<HostileRequest, 'bytes' | 'allowed'> {
  const all = Array.from({ length: random.int(2, 12) }, () =>
    random.pick([
      ['/ws/stats', 200],
      ['/nope', 404],
      ['/ws', 426],
      ['/ws/room', 426],
      ['//', 404],
    ] as const),
  );
  return {
    bytes: all.map(([target]) => `GET ${target} HTTP/1.1\r\nHost: pod\r\n\r\n`),
    allowed: all.map(([, status]) => [status]),
  };
}

const JSON_TYPE = 'Content-Type: application/json';

const BODIES: readonly Generator[] = [
  (random) =>
    request(
      'a body that is no JSON',
      POSTED,
      ...json(
        random.pick(['', '{', '{"a"', 'nul', "{'a':1}", '\ufeff{}', '\0', '{"a":1}}', random.text(300)]),
      ),
    ),
  (random) =>
    request(
      'a body that is no object',
      POSTED,
      ...json(random.pick(['null', '[]', '5', '"x"', 'true', '1e999', '[[]]'])),
    ),
  (random) =>
    request(
      'a body with wrong fields',
      POSTED,
      ...json(
        JSON.stringify(
          random.pick<object>([
            {},
            { channel: 5 },
            { channel: '-x' },
            { channel: '__proto__' },
            { channel: 'a\r\nb' },
            { channel: {} },
            { channel: 'r', event: 5 },
            { channel: 'r', event: {} },
            { channel: ['r'] },
            { channel: null },
            { channel: 'x'.repeat(50_000) },
          ]),
        ),
      ),
    ),
  (random) => {
    const depth = random.int(500, 30_000);
    return request(
      'a deep body',
      [200, ...POSTED],
      ...json(`{"channel":"posted","payload":${'['.repeat(depth)}${']'.repeat(depth)}}`),
    );
  },
  (random) =>
    request(
      'a prototype in a body',
      [200, ...POSTED],
      ...json(
        random.pick([
          '{"channel":"posted","payload":{"__proto__":{"x":1}}}',
          '{"__proto__":{"channel":"posted"}}',
          '{"channel":"posted","constructor":{"prototype":1},"payload":1}',
        ]),
      ),
    ),
  (random) =>
    request(
      'a huge number in a body',
      [200, ...POSTED],
      ...json(`{"channel":"posted","payload":${random.pick(['1e999', '9'.repeat(5_000), '-1e-999'])}}`),
    ),
  (random) =>
    request(
      'a body that is not UTF-8',
      POSTED,
      ...json(
        Buffer.from(
          `{"channel":"posted","payload":"${random.pick(['\u00ff', '\u00c0\u00af', '\u00ed\u00a0\u0080', '\u00e2\u0082'])}"}`,
          'latin1',
        ),
      ),
    ),
  (random) =>
    request(
      'a body over the limit',
      [404, 413, 0],
      ...json(`{"channel":"posted","payload":"${'x'.repeat(random.int(65_536, 200_000))}"}`),
    ),
  (random) =>
    request(
      'another content type',
      POSTED,
      ...post(
        [
          `Content-Type: ${random.pick(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonx', '', 'x', '\u00e9', 'application/xml'])}`,
          'Content-Length: 2',
        ],
        '{}',
      ),
    ),
  (random) =>
    request(
      'chunks that are wrong',
      [400, 404, 413, 0],
      ...post(
        [JSON_TYPE, 'Transfer-Encoding: chunked'],
        random.pick([
          'zz\r\n{}\r\n',
          '-1\r\n',
          'FFFFFFFFFFFFFFFFF\r\n{}\r\n',
          '2\r\n{}x\r\n0\r\n\r\n',
          '2;'.concat('x'.repeat(20_000), '\r\n{}\r\n0\r\n\r\n'),
          '2\r\n{}\r\n0\r\nX: \0\r\n\r\n',
          '\r\n',
        ]),
      ),
    ),
  (random) => ({
    ...request(
      'a body that is cut off',
      [400, 404, 415, 0],
      ...post([JSON_TYPE, 'Content-Length: 500'], '{"channel":"posted"'.slice(0, random.int(0, 19))),
    ),
    fin: true,
  }),
  (random) => ({
    ...request(
      'a reset within a body',
      [0],
      ...post([JSON_TYPE, 'Content-Length: 500'], '{"channel":"posted"'.slice(0, random.int(0, 19))),
    ),
    reset: true,
  }),
  (random) =>
    request(
      'an odd idempotency key',
      [200, ...POSTED],
      ...post(
        [
          JSON_TYPE,
          'Content-Length: 33',
          `Idempotency-Key: ${random.pick(['', '\u00e9', 'x'.repeat(65), '__proto__', 'x'.repeat(5_000)])}`,
        ],
        '{"channel":"posted","payload":{}}',
      ),
    ),
];

/** A request that a client might send in order to do harm. */
export function hostileRequest(random: Random): HostileRequest {
  return random.pick(random.pick([UPGRADES, UPGRADES, PLAIN, PLAIN, BODIES]))(random);
}
