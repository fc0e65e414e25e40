import { ANY_REDIS_FAULTS, ONE_REDIS_FAULTS } from './faults-redis.ts';
import { NATS_NETWORK_FAULTS, REDIS_NETWORK_FAULTS } from './faults-network.ts';
import { CLUSTER_FAULTS, SENTINEL_FAULTS } from './faults-replicated.ts';
import type { Fault, Named } from './fault.ts';
import { NATS_FAULTS } from './faults-nats.ts';
import { POD_FAULTS } from './faults-pods.ts';
import { SETTINGS } from './settings.ts';
import type { Random } from '../hostile/random.ts';
import type { World } from './world.ts';

/** Every run has so many kinds of faults at most, so that what one kind breaks is not hidden by another. */
const MOST_KINDS = 6;

function faultsIn({ nats, cluster, group }: World): readonly Named[] {
  if (nats !== undefined) return [...NATS_FAULTS, ...NATS_NETWORK_FAULTS];
  if (cluster !== undefined) return [...ANY_REDIS_FAULTS, ...CLUSTER_FAULTS];
  if (group !== undefined) return [...ANY_REDIS_FAULTS, ...SENTINEL_FAULTS];
  return [...ANY_REDIS_FAULTS, ...ONE_REDIS_FAULTS, ...REDIS_NETWORK_FAULTS];
}

/** The faults of this run. */
export function faultsOf(world: World, random: Random): Fault[] {
  const all = [...POD_FAULTS, ...faultsIn(world)];
  const only = SETTINGS.faults;
  if (only !== undefined) return all.filter(([name]) => only.includes(name)).map(([, fault]) => fault);
  const kinds = random.int(1, MOST_KINDS);
  return Array.from({ length: kinds }, () => random.pick(all)[1]);
}
