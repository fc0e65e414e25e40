import { afterAll, afterEach, beforeAll } from 'vitest';
import type { Backbone } from '../../src/redis/backbone.ts';
import { presenceContract } from './presence.ts';
import { RedisPresence } from '../../src/presence/redis.ts';
import { RedisSubject } from './redis-subject.ts';

const redis = new RedisSubject();
const opened: Backbone[] = [];
beforeAll(() => redis.start());
afterEach(() => {
  for (const backbone of opened.splice(0)) backbone.stop();
});
afterAll(() => redis.stop());

presenceContract('The Redis presence store', {
  async open() {
    await redis.empty();
    const backbone = redis.backbone();
    opened.push(backbone);
    const store = new RedisPresence({ backbone, ttlMs: 60_000 });
    await backbone.start();
    await redis.settled(backbone);
    return store;
  },
  pass: (ms) => redis.pass(ms),
});
