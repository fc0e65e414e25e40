import { MeasuredPod } from './measured-pod.ts';
import { measure } from './measure.ts';
import { startRedis } from '../support/stack/redis-server.ts';

/** Prints what a message, a join and a resume cost a pod: `node test/costs/main.ts`, or with `redis` on a real Redis. */
const redis = process.argv[2] === 'redis' ? await startRedis() : undefined;
const pod = await MeasuredPod.start(redis?.env);
console.table(await measure(pod));
await pod.stop();
await redis?.discard();
