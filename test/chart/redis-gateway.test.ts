import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { PodProcess } from '../support/stack/pods.ts';
import { fresh, member } from '../integration/people.ts';
import { anotherPod, metric, said } from '../many-pods/world.ts';
import { createCertificate } from '../support/certificate.ts';
import { settingsOf } from './helm.ts';
import { createPods, type RedisPods } from './redis/group.ts';
import { PASSWORDS } from './redis/pod.ts';
import { renderRedis } from './redis.ts';

const LONG = { timeout: 120_000 };
const PATIENT = { timeout: 60_000 };

/** A pod with what the chart gives it, but for where the others are on this machine. */
async function gateway({ pods }: RedisPods, redis: object, ca?: string): Promise<PodProcess> {
  const given = settingsOf(await renderRedis(redis));
  return anotherPod({
    ...given,
    REDIS_SENTINELS: pods.map(({ sentinel }) => `127.0.0.1:${sentinel.port}`).join(','),
    REDIS_PASSWORD: PASSWORDS.CROSSPOD_PASSWORD,
    REDIS_SENTINEL_PASSWORD: PASSWORDS.SENTINEL_PASSWORD,
    ...(ca !== undefined && { REDIS_CA_FILE: ca }),
  });
}

/** What is said on the one pod is heard on the other, before and after the master hands over. */
async function expectShared(group: RedisPods, one: PodProcess, two: PodProcess): Promise<void> {
  const room = fresh();
  const listener = await member(two, room, 'bob');
  await said(one, room, { data: 'before' });
  await listener.next({ data: 'before' });
  const old = await group.settled();
  await old.redis.run('pre-stop.sh');
  await old.redis.stop();
  await group.masterOtherThan(old);
  for (const pod of [one, two]) await expect.poll(() => metric(pod, 'realtime_redis_up'), PATIENT).toBe(1);
  await said(one, room, { data: 'after' });
  await listener.next({ data: 'after' });
  expect(listener.all({ data: 'before' })).toHaveLength(1);
}

test('the gateway uses the Redis of the chart with no more rights than it gives', LONG, async () => {
  const group = await createPods();
  await group.start();
  await expectShared(group, await gateway(group, {}), await gateway(group, {}));
});

test('the gateway uses the Redis of the chart over TLS, and not without the authority', LONG, async () => {
  const { cert, key, ca } = createCertificate();
  const folder = mkdtempSync(join(tmpdir(), 'crosspod-chart-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  copyFileSync(cert, join(folder, 'tls.crt'));
  copyFileSync(key, join(folder, 'tls.key'));
  copyFileSync(ca, join(folder, 'ca.crt'));
  const redis = { tls: { enabled: true, existingSecret: 'certificate' } };
  const group = await createPods(redis, folder);
  await group.start();
  const stranger = await gateway(group, redis, createCertificate().ca);
  await expectShared(group, await gateway(group, redis, ca), await gateway(group, redis, ca));
  expect(await metric(stranger, 'realtime_redis_up')).toBe(0);
});
