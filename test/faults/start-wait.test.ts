import { createServer } from 'node:net';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { PodProcess } from '../support/stack/pods.ts';
import { startRedis, type RedisServer } from '../support/stack/redis-server.ts';
import { natsOf } from '../engines/nats/world.ts';
import { open } from '../support/client.ts';
import { freePort } from '../support/ports.ts';
import { startProxy } from '../support/proxy.ts';
import { eventually, redisOf, SLOW } from './world.ts';

type Env = Readonly<Record<string, string>>;

/** Longer than any test. */
const FOR_EVER: Env = { START_WAIT_SECONDS: '3600' };

/** A pod that is started, and nobody waits for. */
async function bornOn(env: Env): Promise<PodProcess> {
  const ports = { PORT: String(await freePort()), OPS_PORT: String(await freePort()) };
  const pod = new PodProcess('born', ports, env);
  onTestFinished(() => pod.discard());
  pod.launch();
  return pod;
}

/** What the pod answers on the operators' port; `-` while nobody does. */
async function ask({ opsUrl }: PodProcess, path: string): Promise<string> {
  const answer = await fetch(`${opsUrl}${path}`).catch(() => undefined);
  return answer === undefined ? '-' : `${answer.status} ${await answer.text()}`;
}

async function takesClients({ url }: PodProcess): Promise<boolean> {
  return fetch(`${url}/ws/stats`).then(
    () => true,
    () => false,
  );
}

/** Resolves once the pod has said what it waits for: by then it would long have served before this was built. */
async function expectWaiting(pod: PodProcess, part: string): Promise<void> {
  await eventually('what it waits for', () => pod.output().includes(`"part":"${part}"`));
  expect(pod.output()).toContain('the pod serves clients when it is');
  expect(await ask(pod, '/livez')).toBe('200 {"status":"alive"}');
  expect(await ask(pod, '/readyz')).toBe('503 {"status":"starting"}');
  expect(await ask(pod, '/metrics')).toMatch(/^200 [^]*^realtime_engine_lost\{half="answers"\} 1$/m);
  expect(await takesClients(pod)).toBe(false);
}

async function expectServing(pod: PodProcess): Promise<void> {
  await eventually('a ready pod', async () => (await ask(pod, '/readyz')) === '200 {"status":"ready"}');
  await (await open(pod, '/ws/room')).next({ event: 'joined' });
}

test.for([
  ['Redis', redisOf, 'REDIS_URL', 'redis:'],
  ['NATS', natsOf, 'NATS_URL', 'nats:'],
] as const)(
  'a pod that cannot reach %s yet takes no clients until it does',
  SLOW,
  async ([, on, name, scheme]) => {
    const proxy = await startProxy((await on()).port);
    onTestFinished(() => proxy.stop());
    proxy.silence();
    const part = `127.0.0.1:${proxy.port}`;
    const pod = await bornOn({ ...FOR_EVER, [name]: `${scheme}//${part}` });
    await expectWaiting(pod, part);
    proxy.resume();
    await expectServing(pod);
  },
);

/** A Redis whose user may do everything but subscribe. */
async function deafRedis(): Promise<RedisServer> {
  const redis = await startRedis({
    acl: ['user default on nopass ~* &* +@all', 'user deaf on nopass ~* &* +@all -subscribe'],
  });
  onTestFinished(() => redis.discard());
  return redis;
}

test(
  'nor while Redis answers and nothing can be subscribed, and the metrics say which half it is',
  SLOW,
  async () => {
    const redis = await deafRedis();
    const env = { REDIS_URL: `redis://deaf@127.0.0.1:${redis.port}` };
    const pod = await bornOn({ ...env, ...FOR_EVER });
    const part = `127.0.0.1:${redis.port}`;
    await eventually('what it waits for', () =>
      pod.output().includes(`"engine":[{"part":"${part}","lost":"publications","reason":"NOPERM`),
    );
    expect(await ask(pod, '/readyz')).toBe('503 {"status":"starting"}');
    expect(await ask(pod, '/metrics')).toMatch(/^realtime_engine_lost\{half="answers"\} 0$/m);
    expect(await ask(pod, '/metrics')).toMatch(/^realtime_engine_lost\{half="publications"\} 1$/m);
    expect(await takesClients(pod)).toBe(false);
    await redis.command('ACL', 'SETUSER', 'deaf', '+subscribe');
    await expectServing(pod);
  },
);

test('when the wait is over it serves without, and /readyz names what is gone', SLOW, async () => {
  const redis = await deafRedis();
  const port = await freePort();
  const [deaf, alone] = [
    await bornOn({ REDIS_URL: `redis://deaf@127.0.0.1:${redis.port}`, START_WAIT_SECONDS: '1' }),
    await bornOn({ REDIS_URL: `redis://:a-secret@127.0.0.1:${port}`, START_WAIT_SECONDS: '1' }),
  ];
  for (const pod of [deaf, alone]) {
    await eventually('a degraded pod', async () =>
      (await ask(pod, '/readyz')).startsWith('200 {"status":"degraded"'),
    );
    await (await open(pod, '/ws/room')).next({ event: 'joined' });
  }
  expect(JSON.parse((await ask(deaf, '/readyz')).slice(4))).toEqual({
    status: 'degraded',
    engine: [
      { part: `127.0.0.1:${redis.port}`, lost: 'publications', reason: expect.stringMatching(/^NOPERM/) },
    ],
  });
  const part = `127.0.0.1:${port}`;
  expect(JSON.parse((await ask(alone, '/readyz')).slice(4))).toEqual({
    status: 'degraded',
    engine: [
      { part, lost: 'answers', reason: expect.stringContaining('ECONNREFUSED') },
      { part, lost: 'publications', reason: expect.stringContaining('ECONNREFUSED') },
    ],
  });
  expect(alone.output()).not.toContain('a-secret');
});

test.for(['SIGTERM', 'POST /drain'])(
  '%s ends at once a pod that nobody could come to yet',
  SLOW,
  async (how) => {
    const silent = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void silent.close());
    await once(silent, 'listening');
    const port = (silent.address() as { port: number }).port;
    const times = { DRAIN_DELAY_SECONDS: '3600', SHUTDOWN_TIMEOUT_SECONDS: '7200' };
    const pod = await bornOn({ REDIS_URL: `redis://127.0.0.1:${port}`, ...FOR_EVER, ...times });
    await eventually('a pod that waits', async () => (await ask(pod, '/readyz')).startsWith('503'));
    if (how === 'SIGTERM') void pod.stop();
    else expect((await fetch(`${pod.opsUrl}/drain`, { method: 'POST' })).status).toBe(202);
    await eventually('its end', () => pod.state === 'ended');
    expect(await pod.stop()).toEqual({ code: 0, signal: null });
  },
);

test('a pod without Redis and NATS has nothing to wait for', SLOW, async () => {
  const pod = await bornOn(FOR_EVER);
  await expectServing(pod);
  expect(pod.output()).not.toContain('not reached yet');
});
