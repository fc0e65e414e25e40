import { expect, onTestFinished, test } from 'vitest';
import { ALL_WAYS, everything } from './everything.ts';
import { type RedisServer, startRedis } from '../support/stack/redis-server.ts';
import { anotherPod, metric, PATIENT } from './world.ts';

/** All that a pod's user in Redis may do (docs/platform/redis.md), without faults and without REDIS_DB. */
const RIGHTS = [
  'client|id client|setname evalsha info publish script|load subscribe time unsubscribe',
  'del exists get hdel hexists hget hgetall hincrby hlen hmget hscan hset hsetnx pexpire pttl',
  'sadd set srem sscan type xadd xrange xrevrange zadd zrangebylex zrangebyscore zrem zscore',
].flatMap((line) => line.split(' '));

/** What it also needs when something was lost: a publication's answer. */
const AFTER_FAULTS = ['client|kill'];

/** What this test itself sends. */
const OWN = /^(acl|client\|list|config|ping|hello|auth)/;

function rulesOf(commands: readonly string[], prefix = ''): string {
  const names = `~${prefix}realtime:* ~${prefix}presence:* &${prefix}realtime:*`;
  return `user crosspod on >secret resetkeys resetchannels ${names} -@all ${commands.map((one) => `+${one}`).join(' ')}`;
}

async function redisWith(rules: string): Promise<RedisServer> {
  const redis = await startRedis({ acl: ['user default on nopass ~* &* +@all', rules] });
  onTestFinished(() => redis.discard());
  return redis;
}

async function used(redis: RedisServer): Promise<string[]> {
  const text = String(await redis.command('INFO', 'commandstats'));
  const names = [...text.matchAll(/^cmdstat_([^:]+):/gm)].map(([, name = '']) => name);
  return names.filter((name) => !OWN.test(name)).toSorted();
}

test('A user that may touch nothing but the names of the contract, with few commands, can do everything', async () => {
  const redis = await redisWith(rulesOf([...RIGHTS, ...AFTER_FAULTS], 'shop:'));
  const settings = {
    ...ALL_WAYS,
    REDIS_PREFIX: 'shop:',
    REDIS_USERNAME: 'crosspod',
    REDIS_PASSWORD: 'secret',
    // For so long a pod that has just come cleans up after nobody.
    POD_LEASE_SECONDS: '2',
  };
  const env = { REDIS_URL: `127.0.0.1:${redis.port}`, ...settings };
  const [one, two] = [await anotherPod(env), await anotherPod(env)];
  await everything(one, two);
  await one.stop();
  // Who stays clears away what the other has left.
  await expect.poll(() => two.output(), PATIENT).toContain('cleaned up after a dead pod');
  expect(await redis.command('ACL', 'LOG')).toEqual([]);
  // Nor is anything sent that this Redis does not know, and a newer one would refuse.
  expect(await redis.command('INFO', 'errorstats')).not.toContain('errorstat_ERR:');
  expect(await metric(two, 'realtime_redis_up')).toBe(1);
  // None of the rights is idle.
  expect(await used(redis)).toEqual(RIGHTS.toSorted());
});

test('A user that lacks a right, or may not touch the names, leaves its pod degraded, and the log says so', async () => {
  const rules = [rulesOf(RIGHTS.filter((name) => name !== 'evalsha')), rulesOf(RIGHTS, 'shop:')];
  const servers = await Promise.all(rules.map(redisWith));
  const urls = servers.map(({ port }) => `redis://crosspod:secret@127.0.0.1:${port}`);
  const pods = await Promise.all(urls.map((REDIS_URL) => anotherPod({ REDIS_URL })));
  for (const [n, pod] of pods.entries()) {
    expect(await metric(pod, 'realtime_redis_up')).toBe(0);
    const reason = expect.stringContaining('NOPERM');
    expect(await (await fetch(`${pod.opsUrl}/readyz`)).json()).toEqual({
      status: 'degraded',
      engine: expect.arrayContaining([{ part: `127.0.0.1:${servers[n]?.port}`, lost: 'answers', reason }]),
    });
    await expect.poll(() => pod.output(), PATIENT).toMatch(/"level":40.*NOPERM/);
    expect(pod.output()).not.toContain('secret');
  }
});
