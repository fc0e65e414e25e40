import { describe, expect, onTestFinished, test } from 'vitest';
import { type RedisOptions, type RedisServer, startRedis } from '../support/stack/redis-server.ts';
import { anotherPod, aWorld, metric, PATIENT, said } from './world.ts';
import { fresh, guest, member, published } from '../integration/people.ts';
import { createCertificate } from '../support/certificate.ts';
import type { PodProcess } from '../support/stack/pods.ts';

/** It has all that must be encoded in a URL. */
const PASSWORD = 'p@ss:w/rd%25?&é';
const here = aWorld({ pods: 1, redis: { password: PASSWORD } });

async function redisOf(options: RedisOptions): Promise<RedisServer> {
  const redis = await startRedis(options);
  onTestFinished(() => redis.discard());
  return redis;
}

/** The pod keeps what is published in this Redis, and says nothing that should be kept secret. */
async function expectUsed(
  pod: PodProcess,
  redis: RedisServer,
  secrets: readonly string[] = [],
): Promise<void> {
  const room = fresh();
  await said(pod, room, { data: 1 });
  expect(await redis.command('EXISTS', `realtime:history:${room}`)).toBe(1);
  expect(await metric(pod, 'realtime_redis_up')).toBe(1);
  const metrics = await (await fetch(`${pod.opsUrl}/metrics`)).text();
  for (const secret of secrets)
    for (const text of [pod.output(), metrics]) expect(text).not.toContain(secret);
}

describe('A Redis with a password is reached', () => {
  test.each<[string, (port: number) => Record<string, string>]>([
    [
      'with the password encoded in the URL',
      (port) => ({ REDIS_URL: `redis://:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}` }),
    ],
    [
      'as the user default',
      (port) => ({ REDIS_URL: `redis://default:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/0` }),
    ],
    [
      'by host:port and REDIS_PASSWORD',
      (port) => ({ REDIS_URL: `127.0.0.1:${port}`, REDIS_PASSWORD: PASSWORD }),
    ],
    [
      'by REDIS_ADDR and REDIS_PASSWORD',
      (port) => ({ BROADCAST_MQ_TYPE: 'redis', REDIS_ADDR: `localhost:${port}`, REDIS_PASSWORD: PASSWORD }),
    ],
    [
      'by a URL in REDIS_ADDR',
      (port) => ({ REDIS_ADDR: `redis://127.0.0.1:${port}`, REDIS_PASSWORD: PASSWORD }),
    ],
    [
      'with REDIS_PASSWORD where the URL has another one',
      (port) => ({ REDIS_URL: `redis://:another-secret@127.0.0.1:${port}`, REDIS_PASSWORD: PASSWORD }),
    ],
    [
      'by REDIS_URL where REDIS_ADDR names another',
      (port) => ({ REDIS_URL: `127.0.0.1:${port}`, REDIS_ADDR: '127.0.0.1:1', REDIS_PASSWORD: PASSWORD }),
    ],
  ])('%s', async (_, env) => {
    const pod = await anotherPod(env(here.redis.port));
    await expectUsed(pod, here.redis, [PASSWORD, encodeURIComponent(PASSWORD), 'another-secret']);
    const bob = await member(pod, 'met', 'bob');
    await published(await guest(here.a), { room: 'met', data: 1 });
    await bob.next({ data: 1 });
  });
});

test('A pod that Redis does not let in starts, is degraded, goes on by itself, and logs why but no secret', async () => {
  const REDIS_URL = `127.0.0.1:${here.redis.port}`;
  const pods = await Promise.all([
    anotherPod({ REDIS_URL, REDIS_PASSWORD: 'wrong-secret' }),
    anotherPod({ REDIS_URL: `redis://:wrong-secret@${REDIS_URL}` }),
    anotherPod({ REDIS_URL }),
    anotherPod({ REDIS_URL, REDIS_USERNAME: 'nobody', REDIS_PASSWORD: PASSWORD }),
  ]);
  for (const pod of pods) {
    const answer = await fetch(`${pod.opsUrl}/readyz`);
    const told = await answer.text();
    const reason = expect.stringMatching(/WRONGPASS|NOAUTH/) as unknown;
    const engine = expect.arrayContaining([{ part: REDIS_URL, lost: 'answers', reason }]) as unknown;
    expect([answer.status, JSON.parse(told)]).toEqual([200, { status: 'degraded', engine }]);
    for (const secret of ['wrong-secret', PASSWORD]) expect(told).not.toContain(secret);
    expect(await metric(pod, 'realtime_redis_up')).toBe(0);
    const alice = await member(pod, fresh(), 'alice');
    alice.send({ data: 'local' });
    await alice.next({ data: 'local', provisional: true });
    await expect.poll(() => pod.output(), PATIENT).toMatch(/WRONGPASS|NOAUTH/);
    for (const secret of ['wrong-secret', PASSWORD]) expect(pod.output()).not.toContain(secret);
  }
});

test('A pod warns of a Redis that throws keys away when its memory is full, and of no other', async () => {
  const redis = await redisOf({});
  const isWarned = (pod: { output(): string }): boolean => pod.output().includes('maxmemory-policy');
  const set = async (name: string, value: string): Promise<unknown> =>
    redis.command('CONFIG', 'SET', name, value);
  await set('maxmemory-policy', 'allkeys-lru');
  expect(isWarned(await anotherPod(redis.env))).toBe(false);
  await set('maxmemory', '64mb');
  expect(isWarned(await anotherPod(redis.env))).toBe(true);
  await set('maxmemory-policy', 'noeviction');
  expect(isWarned(await anotherPod(redis.env))).toBe(false);
});

test('REDIS_DB chooses the database, also in the URL, where REDIS_DB wins', async () => {
  const redis = await redisOf({});
  const keyspace = async (): Promise<string[]> =>
    String(await redis.command('INFO', 'keyspace')).match(/db\d+/g) ?? [];
  await anotherPod({ ...redis.env, REDIS_DB: '3' });
  expect(await keyspace()).toEqual(['db3']);
  await anotherPod({ REDIS_URL: `${redis.url}/5` });
  expect(await keyspace()).toEqual(['db3', 'db5']);
  await said(await anotherPod({ REDIS_URL: `${redis.url}/5`, REDIS_DB: '7' }), 'r', { data: 1 });
  expect(await keyspace()).toEqual(['db3', 'db5', 'db7']);
});

test('A Redis with a user and TLS is reached by rediss:// and REDIS_CA_FILE or NODE_EXTRA_CA_CERTS, and not without', async () => {
  const tls = createCertificate();
  const acl = ['user default off', 'user crosspod on >secret ~* &* +@all'];
  const redis = await redisOf({ username: 'crosspod', password: 'secret', acl, tls });
  expect(redis.env['REDIS_URL']).toMatch(/^rediss:/);
  await expectUsed(await anotherPod(redis.env), redis, ['secret']);
  await expectUsed(await anotherPod({ REDIS_URL: redis.url, REDIS_CA_FILE: tls.ca }), redis, ['secret']);
  const { NODE_EXTRA_CA_CERTS: _, ...untrusting } = redis.env;
  const plain = { ...redis.env, REDIS_URL: redis.url.replace('rediss:', 'redis:') };
  for (const pod of await Promise.all([anotherPod(untrusting), anotherPod(plain)])) {
    expect(await metric(pod, 'realtime_redis_up')).toBe(0);
    expect(pod.output()).not.toContain('secret');
  }
});

test('With BROADCAST_MQ_TYPE=memory beside REDIS_URL a pod stays alone and leaves Redis alone', async () => {
  const redis = await redisOf({});
  const env = { ...redis.env, BROADCAST_MQ_TYPE: 'memory' };
  const [one, two] = [await anotherPod(env), await anotherPod(env)];
  const [alice, bob] = [await member(one, 'r', 'alice'), await member(two, 'r', 'bob')];
  await published(alice, { room: 'r', data: 'here' });
  await published(bob, { room: 'r', data: 'there' });
  await bob.next({ data: 'there' });
  expect(bob.all({ type: 'chat' }).map(({ data }) => data)).toEqual(['there']);
  expect(await redis.command('DBSIZE')).toBe(0);
  expect(String(await redis.command('CLIENT', 'LIST'))).not.toContain('crosspod');
  expect(await (await fetch(`${one.opsUrl}/readyz`)).json()).toEqual({ status: 'ready' });
});
