import { type PodProcess, startPodProcess } from '../support/stack/pods.ts';
import { type NatsServer, startNats } from '../support/stack/nats-server.ts';
import { type Proxy, startProxy } from '../support/proxy.ts';
import { type RedisCluster, startRedisCluster } from '../support/stack/redis-cluster.ts';
import { type RedisGroup, startRedisGroup } from '../support/stack/redis-group.ts';
import { type RedisServer, startRedis } from '../support/stack/redis-server.ts';
import { CLOCK_ENV } from './clock.ts';
import { Keys } from '../../src/engines/redis/connection/keys.ts';
import type { Random } from '../hostile/random.ts';

const PODS = 3;

/** What is between the pods. */
export const VARIANTS = ['alone', 'sentinels', 'cluster', 'nats'] as const;
export type Variant = (typeof VARIANTS)[number];

/** The pods of one run and what is between them. */
export interface World {
  readonly pods: readonly PodProcess[];
  /** Between each pod and the one server; where there are more the pods find their own way. */
  readonly proxies: readonly Proxy[];
  readonly servers: readonly RedisServer[];
  readonly group?: RedisGroup;
  readonly cluster?: RedisCluster;
  /** In place of Redis; then there are no `servers`. */
  readonly nats?: NatsServer;
  /** The settings that the seed chose. */
  readonly chosen: Readonly<Record<string, string>>;
  /** The Redis that the pods should be writing to, or one of them. */
  master(): Promise<RedisServer>;
  /** The master that has this key. */
  masterOf(key: string): Promise<RedisServer>;
  /** Names of what is in Redis, where there is one. */
  readonly keys?: Keys;
  /** Names of living pods and of dead ones that nobody has cleaned up after, where Redis keeps them. */
  leases?(): Promise<{ pods: string[]; graves: string[] }>;
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
    DRAIN_WINDOW_SECONDS: random.pick(['0', '2']),
    LOG_LEVEL: 'info',
    ...CLOCK_ENV,
  };
}

export function startWorld(variant: Variant, random: Random): Promise<World> {
  const chosen = settingsOf(random);
  switch (variant) {
    case 'alone':
      return startAlone(chosen);
    case 'sentinels':
      return startWithSentinels(chosen);
    case 'cluster':
      return startWithCluster(chosen, random);
    case 'nats':
      return startWithNats(chosen);
  }
}

async function leasesOn(
  redis: RedisServer,
  start = 'realtime:',
): Promise<{ pods: string[]; graves: string[] }> {
  const read = (name: string): Promise<unknown> => redis.command('ZRANGE', `${start}${name}`, '0', '-1');
  return { pods: (await read('pods')) as string[], graves: (await read('graves')) as string[] };
}

async function startPods(env: Record<string, string>): Promise<PodProcess[]> {
  const names = Array.from({ length: PODS }, (_, index) => `pod-${index + 1}`);
  return Promise.all(names.map((name) => startPodProcess(name, env)));
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
    chosen,
    keys: new Keys(''),
    master: () => Promise.resolve(redis),
    masterOf: () => Promise.resolve(redis),
    leases: () => leasesOn(redis),
    stop,
  };
}

async function startWithNats(chosen: Record<string, string>): Promise<World> {
  const nats = await startNats();
  const proxies = await Promise.all(Array.from({ length: PODS }, () => startProxy(nats.port)));
  const pods = await Promise.all(
    proxies.map(({ port }, index) =>
      startPodProcess(`pod-${index + 1}`, { ...chosen, NATS_URL: `nats://127.0.0.1:${port}` }),
    ),
  );
  const stop = async (): Promise<void> => {
    await Promise.all(pods.map((pod) => pod.discard()));
    await Promise.all([nats.discard(), ...proxies.map((proxy) => proxy.stop())]);
  };
  const master = (): Promise<never> => Promise.reject(new Error('there is no Redis'));
  return { pods, proxies, servers: [], nats, chosen, master, masterOf: master, stop };
}

async function startWithSentinels(chosen: Record<string, string>): Promise<World> {
  const group = await startRedisGroup({ sentinel: { downAfterMs: 2_000, failoverTimeoutMs: 2_000 } });
  const pods = await startPods({ ...chosen, ...group.env });
  const stop = async (): Promise<void> => {
    await Promise.all(pods.map((pod) => pod.discard()));
    await group.discard();
  };
  const master = (): Promise<RedisServer> => group.master();
  const leases = async (): Promise<{ pods: string[]; graves: string[] }> => leasesOn(await master());
  return {
    pods,
    proxies: [],
    servers: group.servers,
    group,
    chosen,
    keys: new Keys(''),
    master,
    masterOf: master,
    leases,
    stop,
  };
}

async function startWithCluster(chosen: Record<string, string>, random: Random): Promise<World> {
  const cluster = await startRedisCluster();
  const pods = await startPods({ ...chosen, ...cluster.env });
  const stop = async (): Promise<void> => {
    await Promise.all(pods.map((pod) => pod.discard()));
    await cluster.discard();
  };
  const master = async (): Promise<RedisServer> => random.pick(await cluster.masters());
  const leases = async (): Promise<{ pods: string[]; graves: string[] }> =>
    leasesOn(await cluster.masterOf(await cluster.slotOf('{pods}')), 'realtime:{pods}:');
  const masterOf = async (key: string): Promise<RedisServer> => cluster.masterOf(await cluster.slotOf(key));
  return {
    pods,
    proxies: [],
    servers: cluster.servers,
    cluster,
    chosen,
    keys: new Keys('', true),
    master,
    masterOf,
    leases,
    stop,
  };
}
