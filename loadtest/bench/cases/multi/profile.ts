import type { Options } from '../../arguments.ts';
import { Recording } from '../../cpu-profile.ts';
import { startPods, times } from '../../multi/pods.ts';
import { startRedis } from '../../../stack/redis-server.ts';
import type { CaseResult } from '../../table.ts';
import { during } from '../fan-out.ts';
import { WRITE_TIMEOUT_MS, profileTable } from '../profile.ts';
import { type Crowd, MANY_ROOMS, ONE_ROOM } from './fan-out.ts';

/** Where the CPU time of two pods with Redis goes. */
export async function multiProfile({ seconds }: Options): Promise<CaseResult[]> {
  return [...(await profileCrowd(ONE_ROOM, seconds * 5)), ...(await profileCrowd(MANY_ROOMS, seconds * 5))];
}

async function profileCrowd(
  { name, connections, rooms, pace }: Crowd,
  seconds: number,
): Promise<CaseResult[]> {
  const redis = await startRedis();
  const recordings = [new Recording(), new Recording()];
  try {
    const pods = await startPods({
      envs: times(recordings.length, redis.env),
      flags: (index) => recordings[index]?.flags ?? [],
    });
    await pods.connect({ connections, rooms });
    await pods.generator.run(during(seconds / 5, pace));
    for (const recording of recordings) recording.begin();
    const { deliveries, messages } = await pods.generator.run(during(seconds, pace));
    for (const recording of recordings) recording.end();
    await pods.stop(WRITE_TIMEOUT_MS);
    const units = { deliveries: deliveries / recordings.length, messages };
    return recordings.map((recording, index) =>
      profileTable(`pod ${index + 1}, ${name}`, recording.selfTimes(), units),
    );
  } finally {
    for (const recording of recordings) recording.discard();
    await redis.discard();
  }
}
