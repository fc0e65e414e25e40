import { type Haproxy, startHaproxy } from './haproxy.ts';
import type { Part } from './part.ts';
import { type PodProcess, startPodProcess } from './pods.ts';
import { type NatsServer, startNats } from './nats-server.ts';
import { type RedisGroup, type RedisGroupOptions, startRedisGroup } from './redis-group.ts';
import { startRedisCluster } from './redis-cluster.ts';
import { type RedisServer, startRedis } from './redis-server.ts';
import type { Sentinel } from './sentinel.ts';

export interface StackOptions {
  readonly pods: number;
  /** A master with replicas and Sentinels, not one Redis alone; an object says how. */
  readonly sentinel?: boolean | Omit<RedisGroupOptions, 'redis'>;
  readonly redis?: RedisGroupOptions['redis'];
  /** A Redis Cluster of three masters and three replicas. */
  readonly cluster?: boolean;
  /** NATS in place of Redis. */
  readonly nats?: boolean;
  /** HAProxy before the pods; true unless told. */
  readonly haproxy?: boolean;
  /** Settings of every pod; they win over those that lead it to Redis. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Several pods on one engine, with HAProxy before them. */
export interface Stack {
  readonly pods: readonly PodProcess[];
  /** One server, with Sentinel the master and its replicas, those of a Cluster, or none. */
  readonly redis: readonly RedisServer[];
  readonly sentinels: readonly Sentinel[];
  /** With Sentinel. */
  readonly group: RedisGroup | undefined;
  readonly nats: NatsServer | undefined;
  readonly haproxy: Haproxy | undefined;
  /** All of them, by name. */
  readonly parts: ReadonlyMap<string, Part>;
  /** Ends everything and removes all folders. */
  stop(): Promise<void>;
}

/** Starts everything, each part on free ports of 127.0.0.1, and waits until all are ready. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const started: Part[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((part) => part.discard()));
  };
  try {
    const nats = options.nats === true ? await startNats() : undefined;
    if (nats !== undefined) started.push(nats);
    const group = await startGroup(options);
    const cluster = options.cluster === true ? await startRedisCluster() : undefined;
    const redis = group?.servers ?? cluster?.servers ?? (nats ? [] : [await startRedis(options.redis)]);
    const sentinels = group?.sentinels ?? [];
    started.push(...redis, ...sentinels);
    const env = { ...(nats ?? group ?? cluster ?? redis[0])?.env, ...options.env };
    const pods = await startPods(options.pods, env);
    started.push(...pods);
    const haproxy = options.haproxy === false ? undefined : await startHaproxy(pods);
    if (haproxy !== undefined) started.push(haproxy);
    const parts = new Map(started.map((part) => [part.name, part]));
    return { pods, redis, sentinels, group, nats, haproxy, parts, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startGroup({ sentinel = false, redis }: StackOptions): Promise<RedisGroup | undefined> {
  if (sentinel === false) return undefined;
  const how = sentinel === true ? {} : sentinel;
  return startRedisGroup({ ...how, ...(redis === undefined ? {} : { redis }) });
}

/** If one of them does not start, none is left. */
async function startPods(count: number, env: Readonly<Record<string, string>>): Promise<PodProcess[]> {
  const names = Array.from({ length: count }, (_, index) => `pod-${index + 1}`);
  const results = await Promise.allSettled(names.map((name) => startPodProcess(name, env)));
  const pods = results.filter((result) => result.status === 'fulfilled').map(({ value }) => value);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed === undefined) return pods;
  await Promise.all(pods.map((pod) => pod.discard()));
  throw failed.reason;
}
