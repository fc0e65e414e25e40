import { afterAll, describe, expect, test } from 'vitest';
import { startPod } from '../support/pod.ts';
import { connect } from 'node:net';
import { PassThrough } from 'node:stream';
import { Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { answerParserErrors } from '../../src/http/unparsed-requests.ts';
import { once } from 'node:events';

const pod = await startPod();
afterAll(() => pod.stop());

/** What is sent as it stands is answered by status, type and body, and the connection ends. */
async function answerTo(url: string, request: string) {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  let received = '';
  socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
  socket.write(request);
  await once(socket, 'close');
  const [head = '', body = ''] = received.split('\r\n\r\n');
  return {
    status: Number(head.split(' ')[1]),
    type: /^content-type: (.*)$/im.exec(head)?.[1]?.trim(),
    // In one chunk, or whole.
    body: JSON.parse(/\{.*\}/.exec(body)?.[0] ?? '{}') as Record<string, unknown>,
  };
}

function get(...lines: string[]): string {
  return ['GET /ws/stats HTTP/1.1', 'Connection: close', ...lines, '', ''].join('\r\n');
}

const LONG = 'x'.repeat(20_000);

describe.each([
  ['clients', pod.url],
  ['operators', pod.opsUrl],
])('On the port for %s, a request that no route sees is answered with a JSON error:', (_, url) => {
  test.each<[string, string, number, string]>([
    ['HTTP/1.1 without Host', get(), 400, 'invalid_request'],
    ['a Host that is none', get('Host: a b'), 400, 'invalid_request'],
    ['two Hosts', get('Host: pod', 'Host: another'), 400, 'invalid_request'],
    ['two Hosts in HTTP/1.0', get('Host: pod', 'Host: b').replace('/1.1', '/1.0'), 400, 'invalid_request'],
    ['a head of 20 KB', get('Host: pod', `Authorization: Bearer ${LONG}`), 431, 'too_large'],
    ['an address of 20 KB', `GET /ws?token=${LONG} HTTP/1.1\r\nHost: pod\r\n\r\n`, 431, 'too_large'],
    ['no HTTP', 'hello\r\n\r\n', 400, 'invalid_request'],
    ['a header that is none', get('Host: pod', 'a b: c'), 400, 'invalid_request'],
    ['two lengths', get('Host: pod', 'Content-Length: 1', 'Content-Length: 2'), 400, 'invalid_request'],
    [
      'a body in chunks that are none',
      `POST /api/event HTTP/1.1\r\nHost: pod\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n`,
      400,
      'invalid_request',
    ],
    ['another Expect', get('Host: pod', 'Expect: the-unexpected'), 417, 'invalid_request'],
    ['a tunnel', 'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n', 405, 'method_not_allowed'],
  ])('%s', async (__, request, status, code) => {
    const answer = await answerTo(url, request);
    expect(answer).toMatchObject({ status, type: 'application/json', body: { code } });
    expect(answer.body['error']).toMatch(/./);
  });
});

test('HTTP/1.0 without Host is refused on the clients’ port, and served on the operators’ port', async () => {
  const { status, type, body } = await answerTo(pod.url, 'GET /ws/stats HTTP/1.0\r\n\r\n');
  expect({ status, type, code: body['code'] }).toEqual({
    status: 400,
    type: 'application/json',
    code: 'invalid_request',
  });
  expect((await answerTo(pod.opsUrl, 'GET /livez HTTP/1.0\r\n\r\n')).body).toEqual({ status: 'alive' });
});

test('the operators’ port has no WebSocket: it answers an upgrade as a plain request', async () => {
  const headers = [
    'Host: pod',
    'Connection: Upgrade, close',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
  ];
  const request = ['GET /livez HTTP/1.1', ...headers, '', ''].join('\r\n');
  const { status, body } = await answerTo(pod.opsUrl, request);
  expect([status, body]).toEqual([200, { status: 'alive' }]);
});

test('an invalid request that is pipelined behind another is answered after it', async () => {
  const { status, body } = await answerTo(
    pod.url,
    `${get('Host: pod').replace('close', 'keep-alive')}no HTTP\r\n\r\n`,
  );
  expect(status).toBe(200);
  expect(body).toMatchObject({ rooms: 0 });
});

test('a request that is not complete in time is answered with 408', async () => {
  const server = new Server();
  answerParserErrors(server);
  const stream = new PassThrough();
  server.emit('clientError', Object.assign(new Error('late'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), stream);
  expect(await text(stream)).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n[^]*"code":"timeout"}$/);
});
