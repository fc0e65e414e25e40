/** What a pod loads when it is composed: so that it needs nothing of the real event loop when virtual time has begun. */
import '../../src/broker/redis.ts';
import '../../src/directory/redis.ts';
import '../../src/presence/redis.ts';
import '../../src/redis/backbone.ts';
