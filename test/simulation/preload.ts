/** What a pod loads when it is composed: so that it needs nothing of the real event loop when virtual time has begun. */
import '../../src/engines/redis/index.ts';
