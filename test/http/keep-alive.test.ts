import { Agent, type IncomingMessage, request } from 'node:http';
import { createServer } from '../../src/http/server.ts';
import { expect, test } from 'vitest';
import { Hono } from 'hono';
import { once } from 'node:events';
import { startPod } from '../support/pod.ts';

async function answer(url: string, agent: Agent): Promise<IncomingMessage> {
  const [response] = (await once(request(url, { agent }).end(), 'response')) as [IncomingMessage];
  return response.resume();
}

test('both ports keep a connection for 75 s after an answer, longer than usual proxies do', async () => {
  const pod = await startPod();
  const agent = new Agent({ keepAlive: true });
  for (const url of [`${pod.url}/ws/stats`, `${pod.opsUrl}/readyz`]) {
    expect((await answer(url, agent)).headers['keep-alive']).toBe('timeout=75');
  }
  agent.destroy();
  await pod.stop();
});

test('HTTP_KEEPALIVE_SECONDS limits how long an idle connection stays open', async () => {
  const pod = await startPod({ HTTP_KEEPALIVE_SECONDS: '1' });
  const agent = new Agent({ keepAlive: true });
  const response = await answer(`${pod.url}/ws/stats`, agent);
  expect(response.headers['keep-alive']).toBe('timeout=1');
  await once(response.socket, 'close');
  await pod.stop();
});

test.each([
  [5_000, 60_000],
  [75_000, 75_000],
  [3_600_000, 300_000],
])('a connection kept for %i ms may be without a first request for %i ms', (keepAliveMs, headMs) => {
  const { keepAliveTimeout, headersTimeout } = createServer(new Hono(), { keepAliveMs });
  expect({ keepAliveTimeout, headersTimeout }).toEqual({
    keepAliveTimeout: keepAliveMs,
    headersTimeout: headMs,
  });
});
