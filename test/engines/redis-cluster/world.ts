import { onTestFinished } from 'vitest';
import { podsOn, ready } from '../../faults/world.ts';
import type { Frame } from '../../support/client.ts';
import type { Witness } from '../../faults/witness.ts';
import type { RedisServer } from '../../support/stack/redis-server.ts';
import {
  type RedisCluster,
  type RedisClusterOptions,
  startRedisCluster,
} from '../../support/stack/redis-cluster.ts';

/** Three masters and three replicas, until the test ends; the others serve while one master is down. */
export async function clusterOf(options: RedisClusterOptions = {}): Promise<RedisCluster> {
  const cluster = await startRedisCluster({ config: ['cluster-require-full-coverage no'], ...options });
  onTestFinished(() => cluster.discard());
  return cluster;
}

/** The same with two pods that are ready. */
export async function clusterAndPods(): Promise<{
  cluster: RedisCluster;
  pods: Awaited<ReturnType<typeof podsOn>>;
}> {
  const cluster = await clusterOf();
  const pods = await podsOn(cluster);
  await ready(...pods);
  return { cluster, pods };
}

/** The master that has the history of a room, its key and its slot. */
export async function historyIn(
  cluster: RedisCluster,
  room: string,
): Promise<{ master: RedisServer; key: string; slot: number }> {
  const key = `realtime:history:{${room}}`;
  const slot = await cluster.slotOf(key);
  return { master: await cluster.masterOf(slot), key, slot };
}

/** One room per master. */
export async function roomOfEach(cluster: RedisCluster): Promise<Map<RedisServer, string>> {
  const rooms = new Map<RedisServer, string>();
  const masters = await cluster.masters();
  for (let number = 1; rooms.size < masters.length; number += 1) {
    const { master } = await historyIn(cluster, `room-${number}`);
    if (!rooms.has(master)) rooms.set(master, `room-${number}`);
  }
  return rooms;
}

/** The leaves that this client was told of. */
export function leavesSeenBy({ frames }: Witness): Frame[] {
  return frames.filter(({ type, data }) => type === 'presence' && (data as Frame)['status'] === 'offline');
}
