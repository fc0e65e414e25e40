import { type PodProcess, startPodProcess } from '../../loadtest/stack/pods.ts';
import { type Proxy, startProxy } from '../support/proxy.ts';
import { type RedisGroup, startRedisGroup } from '../../loadtest/stack/redis-group.ts';
import { type RedisServer, startRedis } from '../../loadtest/stack/redis-server.ts';
import type { Random } from '../hostile/random.ts';

const PODS = 3;

/** The pods of one run and the Redis between them. */
export interface World {
  readonly pods: readonly PodProcess[];
  /** Between each pod and Redis; with Sentinels the pods find their own way. */
  readonly proxies: readonly Proxy[];
  readonly servers: readonly RedisServer[];
  readonly group: RedisGroup | undefined;
  /** The settings that the seed chose. */
  readonly chosen: Readonly<Record<string, string>>;
  /** The server that the pods should be writing to. */
  master(): Promise<RedisServer>;
  stop(): Promise<void>;
}

/** Short times, so that what lapses does so within a run; the rest varies. */
function settingsOf(random: Random): Record<string, string> {
  return {
    HISTORY_SIZE: random.pick(['10', '100', '1000']),
    PUBLISH_BUFFER_MESSAGES: random.pick(['5', '10000', '10000']),
    POD_LEASE_SECONDS: '3',
    PRESENCE_GRACE_SECONDS: '1',
    PRESENCE_TTL_SECONDS: random.pick(['4', '60']),
    API_REQUESTS_PER_SECOND: '100000',
    LOG_LEVEL: 'info',
  };
}

export async function startWorld(variant: 'alone' | 'sentinels', random: Random): Promise<World> {
  const chosen = settingsOf(random);
  return variant === 'alone' ? startAlone(chosen) : startWithSentinels(chosen);
}

async function startAlone(chosen: Record<string, string>): Promise<World> {
  const redis = await startRedis();
  const proxies = await Promise.all(Array.from({ length: PODS }, () => startProxy(redis.port)));
  const pods = await Promise.all(
    proxies.map(({ port }, index) =>
      startPodProcess(`pod-${index + 1}`, { ...chosen, REDIS_URL: `redis://127.0.0.1:${port}` }),
    ),
  );
  const stop = async (): Promise<void> => {
    await Promise.all(pods.map((pod) => pod.discard()));
    await Promise.all([redis.discard(), ...proxies.map((proxy) => proxy.stop())]);
  };
  return {
    pods,
    proxies,
    servers: [redis],
    group: undefined,
    chosen,
    master: () => Promise.resolve(redis),
    stop,
  };
}

async function startWithSentinels(chosen: Record<string, string>): Promise<World> {
  const group = await startRedisGroup({ sentinel: { downAfterMs: 2_000, failoverTimeoutMs: 2_000 } });
  const names = Array.from({ length: PODS }, (_, index) => `pod-${index + 1}`);
  const pods = await Promise.all(names.map((name) => startPodProcess(name, { ...chosen, ...group.env })));
  const stop = async (): Promise<void> => {
    await Promise.all(pods.map((pod) => pod.discard()));
    await group.discard();
  };
  return { pods, proxies: [], servers: group.servers, group, chosen, master: () => group.master(), stop };
}
