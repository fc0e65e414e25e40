import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { startPod } from '../support/pod.ts';
import { open, refused, until } from '../support/client.ts';
import { SECRET } from '../support/tokens.ts';
import { settled } from './people.ts';

const pod = await startPod();
const small = await startPod({ MAX_CONNECTIONS: '2' });
afterAll(() => Promise.all([pod.stop(), small.stop()]));

const readable = { error: expect.stringMatching(/./), code: expect.stringMatching(/^[a-z_]+$/) };

describe('An upgrade is refused with 400 before the handshake', () => {
  test.each([
    ['that begins with a hyphen', '/ws/-room'],
    ['that begins with an underscore', '/ws/_room'],
    ['that begins with @', '/ws?room=@global'],
    ['with a space', '/ws?room=a%20b'],
    ['with a slash', '/ws?room=a/b'],
    ['with a letter outside A–Z', '/ws/caf%C3%A9'],
    ['with a line break', '/ws/a%0Ab'],
    ['of 129 characters', `/ws/${'x'.repeat(129)}`],
    ['that is no percent-encoded text', '/ws/%zz'],
    ['that is no UTF-8', '/ws/%ff'],
  ])('for a room name %s', async (_, address) => {
    const { status, headers, body } = await refused(pod, address);
    expect(status).toBe(400);
    expect(headers['content-type']).toMatch(/^application\/json/);
    expect(body).toEqual({ ...readable, code: 'invalid_room' });
  });

  test.each([
    ['system', 'system'],
    ['conn:x', 'conn:x'],
    ['conn: and nothing else', 'conn:'],
    ['@x', '@x'],
    ['@global', '@global'],
    ['257 characters', 'x'.repeat(257)],
    ['a line break', 'a\nb'],
    ['a NUL', 'a\0b'],
    ['an escape', '\u001B[31m'],
    ['DEL', 'a\u007F'],
    ['a zero width space', 'a\u200Bb'],
    ['a joiner at the end', 'a\u200D'],
  ])('for the user_id %s', async (_, user) => {
    const { status, body } = await refused(pod, `/ws?user_id=${encodeURIComponent(user)}`);
    expect(status).toBe(400);
    expect(body).toEqual(readable);
    expect(body['code']).not.toBe('invalid_room');
  });

  test('on every path and however the room is named', async () => {
    for (const address of ['/api/chat-api/ws/-x', '/api/chat-api/ws?room=-x', '/ws?room=-x']) {
      const { status, body } = await refused(pod, address);
      expect([status, body['code']]).toEqual([400, 'invalid_room']);
    }
  });
});

describe('An upgrade at an unknown path is refused with 404', () => {
  test.each(['/', '/nope', '/wss', '/ws-other/room', '/api/ws', '/WS'])('at %s', async (path) => {
    const { status, body } = await refused(pod, path);
    expect(status).toBe(404);
    expect(body).toEqual(readable);
  });

  test.each(['//', '//ws', '//evil.example/ws', '///', '//[', '//:0/ws', '*', 'http://[/ws'])(
    'at the target %s, and the pod lives on',
    async (target) => {
      const { status, body } = await refused(pod, target);
      expect(status).toBe(404);
      expect(body).toEqual(readable);
      await settled(await open(pod, '/ws'));
    },
  );
});

describe('Plain HTTP', () => {
  test.each(['/ws', '/ws/room', '/ws?room=x', '/api/chat-api/ws', '/api/chat-api/ws/room'])(
    'at %s is answered 426',
    async (path) => {
      const answer = await fetch(`${pod.url}${path}`);
      expect(answer.status).toBe(426);
      expect(answer.headers.get('upgrade')).toMatch(/websocket/i);
      expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
      expect(await answer.json()).toEqual(readable);
    },
  );

  test('that asks for another upgrade than WebSocket is answered 426', async () => {
    const { status, body } = await refused(pod, '/ws', { Upgrade: 'h2c' });
    expect(status).toBe(426);
    expect(body).toEqual(readable);
  });

  test('at an unknown path is answered 404 in JSON', async () => {
    const answer = await fetch(`${pod.url}/nope`);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toEqual(readable);
  });

  test.each(['//', '//evil.example/ws', '///x', '//[', '//:99999/'])(
    'at the target %s is answered, and the pod lives on',
    async (target) => {
      const { status } = await refused(pod, target, { Connection: 'close', Upgrade: '' });
      expect(status).toBe(404);
      await settled(await open(pod, '/ws'));
    },
  );
});

describe('A pod with MAX_CONNECTIONS=2', () => {
  test('refuses the third with 503 and Retry-After, and takes one again when one has gone', async () => {
    const first = await open(small, '/ws');
    const second = await open(small, '/ws/room');
    const { status, headers, body } = await refused(small, '/ws');
    expect(status).toBe(503);
    expect(body).toEqual({ ...readable, error: 'server at capacity' });
    expect(headers['retry-after']).toMatch(/^[1-9]\d*$/);
    await settled(first);
    await settled(second);
    await first.close(1000);
    await until('a free place', () =>
      open(small, '/ws').then(
        () => true,
        () => false,
      ),
    );
  });
});

describe('An upgrade that is no handshake of RFC 6455', () => {
  const GOOD = {
    Host: 'pod',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version': '13',
  };

  /** Status and code of the answer, and which versions it says there are. */
  async function answerTo(
    headers: Record<string, string | undefined>,
    version = '1.1',
    { url, method } = { url: pod.url, method: 'GET' },
  ) {
    const lines = Object.entries({ ...GOOD, ...headers }).flatMap(([name, value]) =>
      value === undefined ? [] : `${name}: ${value}`,
    );
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.write([`${method} /ws HTTP/${version}`, ...lines, '', ''].join('\r\n'));
    const [first] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    const answer = first.toString();
    const [, status] = /^HTTP\/1\.1 (\d+)/.exec(answer) ?? [];
    return {
      status: Number(status),
      code: /"code":"(\w+)"/.exec(answer)?.[1],
      versions: /^Sec-WebSocket-Version: (.*)\r$/im.exec(answer)?.[1],
    };
  }

  test('is told from one that is', async () => {
    expect((await answerTo({})).status).toBe(101);
  });

  test.each([undefined, '8', '7', '14', '0', '', '13, 8', 'x'])(
    'for the version %s is answered with 426 and the one there is',
    async (version) => {
      const answer = await answerTo({ 'Sec-WebSocket-Version': version });
      expect(answer).toEqual({ status: 426, code: 'upgrade_required', versions: '13' });
    },
  );

  test.each<[string, Record<string, string | undefined>, string?]>([
    ['in HTTP/1.0', {}, '1.0'],
    ['in HTTP/1.0 without Host', { Host: undefined }, '1.0'],
    ['without Host', { Host: undefined }],
    ['with an empty Host', { Host: '' }],
    ['with a Host that is none', { Host: 'a b' }],
    ['with two Hosts', { host: 'another' }],
    ['without a key', { 'Sec-WebSocket-Key': undefined }],
    ['with a bad key', { 'Sec-WebSocket-Key': 'short' }],
  ])('%s is answered with 400', async (_, headers, version) => {
    expect(await answerTo(headers, version)).toMatchObject({ status: 400, code: 'bad_handshake' });
  });

  test('takes nobody’s place among those that are one, and is refused before anybody asks who comes', async () => {
    const guarded = await startPod({ JWT_SECRET: SECRET, HANDSHAKES_PER_SECOND: '1' });
    onTestFinished(async () => void (await guarded.stop()));
    const { url } = guarded;
    for (let n = 0; n < 3; n += 1) {
      for (const [method, key] of [
        ['GET', 'short'],
        ['POST', GOOD['Sec-WebSocket-Key']],
      ] as const) {
        const answer = await answerTo({ 'Sec-WebSocket-Key': key }, '1.1', { url, method });
        expect(answer).toMatchObject({ status: 400, code: 'bad_handshake' });
      }
    }
    expect((await answerTo({}, '1.1', { url, method: 'GET' })).code).toBe('missing_token');
  });

  test('and names its origin as old versions did passes no list', async () => {
    const headers = { 'Sec-WebSocket-Version': '8', 'Sec-WebSocket-Origin': 'https://evil.example' };
    expect((await answerTo(headers)).status).toBe(426);
  });
});
