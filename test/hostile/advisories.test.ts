import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { dial, exchange } from './http-exchange.ts';
import { expectUnharmed, onlyConnections } from './pod-state.ts';
import { handshake, Peer, text } from './wire.ts';
import { type AddressInfo, connect } from 'node:net';
import { type Pod, startPod } from '../support/pod.ts';
import { until } from '../support/client.ts';
import { Witnesses } from './witnesses.ts';

const ATTEMPTS = 300;

const { privateKey, publicKey } = await generateKeyPair('ES256');
const keySet = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'good', alg: 'ES256' }] });
const sign = (kid: string): Promise<string> =>
  new SignJWT()
    .setProtectedHeader({ alg: 'ES256', kid })
    .setSubject('alice')
    .setExpirationTime('1h')
    .sign(privateKey);

describe('CVE-2026-126343, a client that resets while its upgrade waits for something:', () => {
  let keys: Server;
  /** Requests for the key set that nobody has answered. */
  const waiting: ServerResponse[] = [];
  let url: string;
  beforeEach(async () => {
    keys = createServer((_, answer) => void waiting.push(answer));
    await new Promise<void>((resolve) => keys.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(keys.address() as AddressInfo).port}/keys`;
  });
  afterEach(() => {
    waiting.length = 0;
    keys.closeAllConnections();
    keys.close();
  });

  test.each([
    ['turns out to be good', 'good', 200],
    ['turns out to be unknown', 'nobody', 200],
    ['cannot be looked at, as the key server fails', 'good', 500],
  ])('its token %s, and the pod lives on', async (_, kid, status) => {
    const pod = await startPod({ JWKS_URL: url, HANDSHAKES_PER_SECOND: '1000000', LOG_LEVEL: 'trace' });
    onTestFinished(async () => void (await pod.stop()));
    const request = handshake(`/ws/room?token=${await sign(kid)}`);
    const sockets = Array.from({ length: ATTEMPTS }, () => dial(pod));
    for (const socket of sockets) socket.write(request);
    // Whoever is asked after them has read them.
    await Promise.all([fetch(`${pod.url}/ws/stats`), fetch(`${pod.url}/ws/stats`)]);
    await until('a request for the keys', () => waiting.length > 0);
    // Some are gone before the answer, some while it is on its way, some only close their half.
    for (const [index, socket] of sockets.entries()) {
      if (index % 3 === 0) socket.resetAndDestroy();
      if (index % 3 === 1) socket.end();
    }
    for (const answer of waiting.splice(0)) answer.writeHead(status).end(status === 200 ? keySet : 'no');
    for (const [index, socket] of sockets.entries()) if (index % 3 === 2) socket.resetAndDestroy();
    keys.removeAllListeners('request').on('request', (__, answer) => answer.end(keySet));
    // A key server that failed is asked again by the next token.
    const witnesses = await Witnesses.start(pod, `&token=${await sign('good')}`);
    onTestFinished(() => witnesses.close());
    await onlyConnections(pod, Witnesses.connections);
    for (const socket of sockets) socket.destroy();
    expect(await witnesses.stop()).toEqual([]);
    await expectUnharmed(pod);
  });

  test('a key server that never answers costs the token, not the pod: 503, and others are served', async () => {
    const pod = await startPod({ JWKS_URL: url, JWT_SECRET: 's'.repeat(32) });
    onTestFinished(async () => void (await pod.stop()));
    const secret = new TextEncoder().encode('s'.repeat(32));
    const own = await new SignJWT().setProtectedHeader({ alg: 'HS256' }).setSubject('bob').sign(secret);
    const hanging = exchange(pod, handshake(`/ws?token=${await sign('good')}`), { answers: 1 });
    await until('a request for the keys', () => waiting.length > 0);
    const witnesses = await Witnesses.start(pod, `&token=${own}`);
    onTestFinished(() => witnesses.close());
    expect(await hanging).toMatchObject({
      statuses: [503],
      text: expect.stringMatching(/^retry-after: \d+/im) as string,
    });
    expect(await witnesses.stop()).toEqual([]);
    await expectUnharmed(pod);
  });
});

describe('CVE-2026-126344, a request target that begins with `//`:', () => {
  const EVIL = 'https://evil.example';
  const TARGETS = [
    '//evil.example/ws',
    '//evil.example',
    '//evil.example/api/event',
    '//app.example/ws',
    '///evil.example/ws',
    '//evil.example@app.example/ws',
    '/\\evil.example/ws',
    'https://evil.example/ws',
    'https://app.example/ws',
  ];

  let pod: Pod;
  beforeAll(async () => {
    pod = await startPod({ ALLOWED_ORIGINS: 'https://app.example' });
  });
  afterAll(() => pod.stop());

  test.each(TARGETS)(
    'at %s no page of another origin gets a WebSocket or an answer it may read',
    async (target) => {
      for (const Host of ['pod', 'evil.example', 'app.example']) {
        const upgrade = await exchange(pod, handshake(target, { Host, Origin: EVIL }), { answers: 1 });
        expect([400, 403, 404]).toContain(upgrade.statuses[0]);
        for (const method of ['GET', 'OPTIONS', 'POST']) {
          const headers = `Host: ${Host}\r\nOrigin: ${EVIL}\r\nAccess-Control-Request-Method: POST\r\nContent-Length: 0\r\n`;
          const { text } = await exchange(
            pod,
            `${method} ${target} HTTP/1.1\r\n${headers}Connection: close\r\n\r\n`,
          );
          expect(text).not.toMatch(/^access-control-allow-origin: *(\*|https:\/\/evil)/im);
          expect(text).not.toMatch(/^location:/im);
        }
      }
      expect((await exchange(pod, handshake('/ws', { Origin: EVIL }), { answers: 1 })).statuses).toEqual([
        403,
      ]);
      const own = await exchange(pod, handshake('/ws', { Origin: 'https://app.example' }), { answers: 1 });
      expect(own.statuses).toEqual([101]);
      await expectUnharmed(pod);
    },
  );
});

test('An upgrade behind pipelined requests is answered after them or not at all, and its frames are whole', async () => {
  const pod = await startPod();
  onTestFinished(async () => void (await pod.stop()));
  for (const [target, status] of [
    ['/ws?dialect=message', 101],
    ['/ws/-x', 400],
  ] as const) {
    const first = 'GET /nope HTTP/1.1\r\nHost: pod\r\n\r\n';
    const { text } = await exchange(pod, first + handshake(target) + 'x', { answers: 2 });
    const statuses = [...text.matchAll(/HTTP\/1\.1 (\d\d\d) /g)].map((match) => Number(match[1]));
    // Whoever does that may also be cut off.
    expect([[], [404], [404, status]]).toContainEqual(statuses);
  }
});

test('A client that pings without end and reads no pong is cut off, and nobody else waits for it', async () => {
  const pod = await startPod();
  onTestFinished(async () => void (await pod.stop()));
  const witnesses = await Witnesses.start(pod);
  onTestFinished(() => witnesses.close());
  const peer = await Peer.open(pod, '/ws?dialect=message');
  peer.socket.pause();
  const pings = Buffer.concat(Array<Buffer>(1_000).fill(Buffer.from([0x89, 0x84, 0, 0, 0, 0, 1, 2, 3, 4])));
  await until('the end of the connection', () => {
    for (let n = 0; n < 20 && !peer.socket.destroyed; n += 1) peer.socket.write(pings);
    return peer.socket.destroyed;
  });
  expect(await witnesses.stop()).toEqual([]);
  await expectUnharmed(pod);
});

test('A client that asks without end and reads no answer is closed, and nobody else waits for it', async () => {
  const pod = await startPod({ OUTBOX_BYTES: '65536' });
  onTestFinished(async () => void (await pod.stop()));
  const witnesses = await Witnesses.start(pod);
  onTestFinished(() => witnesses.close());
  const peer = await Peer.open(pod, '/ws?dialect=message');
  peer.socket.pause();
  const questions = Buffer.concat(
    Array<Buffer>(200).fill(text('{"type":"ping","ref":"0123456789012345678901234567890123456789"}')),
  );
  await until('the end of the connection', () => {
    for (let n = 0; n < 20 && !peer.socket.destroyed; n += 1) peer.socket.write(questions);
    return peer.socket.destroyed;
  });
  await onlyConnections(pod, Witnesses.connections);
  expect(await witnesses.stop()).toEqual([]);
  await expectUnharmed(pod);
});

test('A client that resets behind pipelined requests, before its upgrade is looked at, harms nobody', async () => {
  const pod = await startPod();
  onTestFinished(async () => void (await pod.stop()));
  const { hostname, port } = new URL(pod.url);
  for (let n = 0; n < 20; n += 1) {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    socket.write('GET /openapi.json HTTP/1.1\r\nHost: pod\r\n\r\n'.repeat(300) + handshake('/ws'));
    await fetch(`${pod.opsUrl}/livez`);
    socket.resetAndDestroy();
  }
  await expectUnharmed(pod);
});
