import { afterAll, beforeAll } from 'vitest';
import { brokerContract } from './broker.ts';
import { randomIds } from '../../src/platform.ts';
import { RedisBroker } from '../../src/broker/redis.ts';
import { RedisSubject } from './redis-subject.ts';

const redis = new RedisSubject();
beforeAll(() => redis.start());
afterAll(() => redis.stop());

brokerContract('The Redis broker', {
  async open() {
    await redis.empty();
    return new RedisBroker({
      backbone: redis.backbone(),
      historySize: 5,
      historyTtlMs: 60_000,
      bufferMessages: 100,
      newName: () => randomIds().ephemeral(),
    });
  },
  pass: (ms) => redis.pass(ms),
});
