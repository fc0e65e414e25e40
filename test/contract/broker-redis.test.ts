import { afterAll, beforeAll, describe } from 'vitest';
import { randomIds, systemClock } from '../../src/platform.ts';
import type { Backbone } from '../../src/redis/backbone.ts';
import { brokerContract } from './broker.ts';
import { RedisBroker } from '../../src/broker/redis.ts';
import { RedisSubject } from './redis-subject.ts';
import { sharedBrokerContract } from './shared-broker.ts';

function brokerOn(backbone: Backbone, historySize: number): RedisBroker {
  return new RedisBroker({
    backbone,
    historySize,
    historyTtlMs: 60_000,
    bufferMessages: 100,
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
    now: () => redis.now(),
  });

  sharedBrokerContract('The Redis broker', {
    empty: () => redis.empty(),
    open: () => Promise.resolve(brokerOn(redis.backbone(systemClock), 1_000)),
    breaks: () => redis.freeze(),
    mends: () => redis.thaw(),
  });
});
