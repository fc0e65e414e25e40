import { expect, test } from 'vitest';
import { startPod } from '../support/pod.ts';
import { open, RawClient, refused, until } from '../support/client.ts';
import { guest, member, namedListener, oldListener } from './people.ts';

test('SIGTERM closes every connection with 1001, whatever it speaks, and the process exits with 0', async () => {
  const pod = await startPod();
  const clients = [
    await member(pod, 'room', 'alice'),
    await guest(pod),
    await oldListener(pod, 'room', 'old', ['broadcast']),
    await namedListener(pod, 'room', 'named', ['broadcast']),
    await open(pod, '/ws'),
  ];
  const exit = pod.stop('SIGTERM');
  for (const client of clients) expect(await client.closed).toMatchObject({ code: 1001 });
  expect(await exit).toEqual({ code: 0, signal: null });
});

test('SIGTERM ends a pod without connections with 0', async () => {
  const pod = await startPod();
  expect(await pod.stop('SIGTERM')).toEqual({ code: 0, signal: null });
});

test('SIGINT does the same', async () => {
  const pod = await startPod();
  const client = await guest(pod);
  const exit = pod.stop('SIGINT');
  expect((await client.closed).code).toBe(1001);
  expect(await exit).toEqual({ code: 0, signal: null });
});

test('What a client was sent before the SIGTERM still arrives', async () => {
  const pod = await startPod();
  const alice = await member(pod, 'room', 'alice');
  const bob = await member(pod, 'room', 'bob');
  for (let n = 1; n <= 200; n += 1) alice.send({ data: n });
  await alice.next({ data: 200 });
  const exit = pod.stop();
  await bob.closed;
  await exit;
  expect(bob.all({ type: 'chat' })).toHaveLength(200);
});

test('A client that never answers the close does not keep the process alive', async () => {
  const pod = await startPod({ SHUTDOWN_TIMEOUT_SECONDS: '2' });
  const client = await RawClient.open(pod, '/ws/room');
  const exit = pod.stop();
  expect(await client.closeCode()).toBe(1001);
  expect(await exit).toEqual({ code: 0, signal: null });
});

test('While it stops a pod is not ready and refuses upgrades with 503 draining and Retry-After', async () => {
  const pod = await startPod();
  // Keeps the pod waiting: it does not answer the close.
  const client = await RawClient.open(pod, '/ws/room');
  const exit = pod.stop();
  expect(await client.closeCode()).toBe(1001);
  await until('the pod not to be ready', async () => (await fetch(`${pod.opsUrl}/readyz`)).status === 503);
  expect((await fetch(`${pod.opsUrl}/livez`)).status).toBe(200);
  const { status, headers, body } = await refused(pod, '/ws');
  expect(status).toBe(503);
  expect(body).toMatchObject({ error: 'draining', code: expect.stringMatching(/^[a-z_]+$/) });
  expect(headers['retry-after']).toMatch(/^[1-9]\d*$/);
  client.socket.destroy();
  expect(await exit).toEqual({ code: 0, signal: null });
});
