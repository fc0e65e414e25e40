import { existsSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { type RedisGroup, type RedisGroupOptions, startRedisGroup } from '../support/stack/redis-group.ts';
import { type RedisOptions, type RedisServer, startRedis } from '../support/stack/redis-server.ts';
import { createCertificate } from '../support/certificate.ts';

/** For `expect.poll`: as long as a loaded machine may need. */
const PATIENT = { timeout: 30_000 };

async function redisOf(options: RedisOptions = {}): Promise<RedisServer> {
  const redis = await startRedis(options);
  onTestFinished(() => redis.discard());
  return redis;
}

async function groupOf(options: RedisGroupOptions): Promise<RedisGroup> {
  const group = await startRedisGroup(options);
  onTestFinished(() => group.discard());
  return group;
}

test('a Redis that is killed comes back on its port, empty, and is gone when discarded', async () => {
  const redis = await redisOf();
  await redis.command('SET', 'key', 'value');
  expect(await redis.command('GET', 'key')).toBe('value');
  expect(await redis.kill()).toEqual({ code: null, signal: 'SIGKILL' });
  await expect(redis.command('GET', 'key')).rejects.toThrow('Connection is closed');
  await redis.start();
  expect(await redis.command('GET', 'key')).toBeNull();
  await redis.discard();
  expect([redis.state, existsSync(redis.folder)]).toEqual(['ended', false]);
});

test('a frozen Redis does not answer until it is thawed, and ends when it is told to', async () => {
  const redis = await redisOf();
  redis.freeze();
  expect(redis.state).toBe('frozen');
  await expect(redis.command('PING')).rejects.toThrow('timed out');
  redis.thaw();
  expect(await redis.command('PING')).toBe('PONG');
  redis.freeze();
  expect(await redis.stop()).toEqual({ code: 0, signal: null });
});

test('a configuration that Redis refuses is told with its output', async () => {
  await expect(startRedis({ config: ['no-such-line'] })).rejects.toThrow(
    /the redis-1 ended with 1 before it was ready:\n[^]*no-such-line/,
  );
});

test('a password, a user with few rights, and TLS', async () => {
  const tls = createCertificate();
  const acl = ['user default off', 'user crosspod on >secret resetkeys ~realtime:* +@all'];
  const redis = await redisOf({ username: 'crosspod', password: 'secret', acl, tls });
  expect(redis.env).toEqual({
    REDIS_URL: `rediss://crosspod:secret@127.0.0.1:${redis.port}`,
    NODE_EXTRA_CA_CERTS: tls.ca,
  });
  expect(await redis.command('SET', 'realtime:x', '1')).toBe('OK');
  await expect(redis.command('SET', 'x', '1')).rejects.toThrow('NOPERM');
});

test(
  'a killed master is replaced, comes back as a replica, and more failovers follow',
  { timeout: 90_000 },
  async () => {
    const group = await groupOf({
      redis: { password: 'secret' },
      sentinel: { password: 'guarded', downAfterMs: 2000 },
    });
    expect(group.env).toMatchObject({ REDIS_PASSWORD: 'secret', REDIS_SENTINEL_PASSWORD: 'guarded' });
    const old = await group.master();
    await old.kill();
    const master = await group.masterOtherThan(old);
    await expect.poll(() => master.command('SET', 'key', 'new'), PATIENT).toBe('OK');
    await old.start();
    await group.inSync();
    expect((await old.replication()).get('role')).toBe('slave');
    expect(await old.command('GET', 'key')).toBe('new');
    const before = await group.master();
    expect(await group.failover()).not.toBe(before);
  },
);

test('a master refuses to write when no replica is left', { timeout: 90_000 }, async () => {
  const group = await groupOf({ sentinel: { downAfterMs: 60_000 } });
  const master = await group.master();
  expect(await master.command('SET', 'key', 'value')).toBe('OK');
  for (const replica of await group.replicas()) await replica.kill();
  await expect
    .poll(() => master.command('SET', 'key', 'other').catch(String), PATIENT)
    .toContain('NOREPLICAS');
});
