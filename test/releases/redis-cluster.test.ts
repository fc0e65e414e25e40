import { aWorld, isEarlierFirst } from './world.ts';
import { killedPodTest, releasesTogether } from './together.ts';
import { startRedisCluster } from '../support/stack/redis-cluster.ts';

const here = aWorld(() => startRedisCluster({ replicas: 0 }));

releasesTogether(here);
killedPodTest(here, isEarlierFirst ? ['earlier'] : ['earlier', 'current']);
