import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { randomIds, systemClock } from '../../src/platform.ts';
import type { Backbone } from '../../src/redis/backbone.ts';
import { brokerContract } from './broker.ts';
import { RedisBroker } from '../../src/broker/redis.ts';
import { RedisSubject } from './redis-subject.ts';
import { Ear, sharedBrokerContract } from './shared-broker.ts';

function brokerOn(backbone: Backbone, historySize: number): RedisBroker {
  return new RedisBroker({
    backbone,
    historySize,
    historyTtlMs: 60_000,
    bufferMessages: 100,
    memoryBytes: 1_048_576,
    newName: () => randomIds().ephemeral(),
  });
}

describe.each(['alone', 'cluster'] as const)('Redis, %s', (kind) => {
  const redis = new RedisSubject(kind);
  beforeAll(() => redis.start(), 60_000);
  afterAll(() => redis.stop());

  brokerContract('The Redis broker', {
    async open() {
      await redis.empty();
      return brokerOn(redis.backbone(), 5);
    },
    pass: (ms) => redis.pass(ms),
  });

  sharedBrokerContract('The Redis broker', {
    empty: () => redis.empty(),
    open: () => Promise.resolve(brokerOn(redis.backbone(systemClock), 1_000)),
    breaks: () => redis.freeze(),
    mends: () => redis.thaw(),
  });

  test('what a pod has only read of it knows by its key, also while nothing answers', async () => {
    await redis.empty();
    const [here, there] = [
      brokerOn(redis.backbone(systemClock), 10),
      brokerOn(redis.backbone(systemClock), 10),
    ];
    for (const broker of [here, there]) await broker.start(new Ear(broker));
    const { id } = await here.publish('r', 'said', { key: 'ann 1' });
    await there.read('r', { newest: 10 }, 10);
    redis.freeze();
    await expect.poll(() => there.available, { timeout: 20_000 }).toBe(false);
    expect(await there.publish('r', 'said', { key: 'ann 1' })).toEqual({ id, duplicate: true });
    redis.thaw();
    await Promise.all([here, there].map((broker) => broker.stop()));
  });
});
