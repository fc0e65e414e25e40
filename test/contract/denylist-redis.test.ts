import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { denylistContract, sharedDenylistContract, type SharedDenylistSubject } from './denylist.ts';
import { RedisDenylist } from '../../src/engines/redis/denylist.ts';
import { RedisSubject } from './redis-subject.ts';
import { systemClock } from '../../src/platform.ts';

describe.each(['alone', 'cluster'] as const)('Redis, %s', (kind) => {
  const redis = new RedisSubject(kind);
  const opened: (() => void)[] = [];
  beforeAll(() => redis.start(), 60_000);
  afterEach(() => {
    for (const close of opened.splice(0)) close();
  });
  afterAll(() => redis.stop());

  const subject: SharedDenylistSubject = {
    empty: () => redis.empty(),
    async open(denied) {
      const backbone = redis.backbone(systemClock);
      const denylist = new RedisDenylist(backbone);
      opened.push(() => {
        denylist.stop();
        backbone.stop();
      });
      denylist.start(denied);
      await backbone.start();
      await denylist.refreshed();
      return denylist;
    },
    loses: () => redis.empty(),
    breaks: () => redis.freeze(),
    mends: () => redis.thaw(),
  };
  denylistContract('The Redis denylist', subject);
  sharedDenylistContract('The Redis denylist', subject);
});
