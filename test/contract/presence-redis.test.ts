import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import type { Backbone } from '../../src/redis/backbone.ts';
import { presenceContract } from './presence.ts';
import { RedisPresence } from '../../src/presence/redis.ts';
import { RedisSubject } from './redis-subject.ts';
import { setTimeout as sleep } from 'node:timers/promises';

describe.each(['alone', 'cluster'] as const)('Redis, %s', (kind) => {
  const redis = new RedisSubject(kind);
  const opened: Backbone[] = [];
  beforeAll(() => redis.start(), 60_000);
  afterEach(() => {
    for (const backbone of opened.splice(0)) backbone.stop();
  });
  afterAll(() => redis.stop());

  presenceContract('The Redis presence store', {
    async open() {
      await redis.empty();
      const backbone = redis.backbone();
      opened.push(backbone);
      const store = new RedisPresence({ backbone, ttlMs: 60_000, random: Math.random });
      await backbone.start();
      await redis.settled(backbone);
      return store;
    },
    // The time of a row is that of Redis.
    pass: (ms) => sleep(ms),
  });
});
