import type { Part } from '../../test/support/stack/part.ts';
import { startNats } from '../../test/support/stack/nats-server.ts';
import { startNatsCluster } from '../../test/support/stack/nats-cluster.ts';
import { startRedis } from '../../test/support/stack/redis-server.ts';
import { startRedisCluster } from '../../test/support/stack/redis-cluster.ts';
import { startRedisGroup } from '../../test/support/stack/redis-group.ts';

/** What is between the pods while something is measured. */
export interface Engine {
  /** What a pod needs to find it. */
  readonly env: Readonly<Record<string, string>>;
  /** Its processes. */
  readonly parts: readonly Part[];
  discard(): Promise<void>;
}

/** Each with its own processes, on this machine. */
export const ENGINES = {
  memory: () => Promise.resolve({ env: {}, parts: [], discard: () => Promise.resolve() }),
  redis: async () => {
    const server = await startRedis();
    return { env: server.env, parts: [server], discard: () => server.discard() };
  },
  sentinel: async () => {
    const group = await startRedisGroup();
    return {
      env: group.env,
      parts: [...group.servers, ...group.sentinels],
      discard: () => group.discard(),
    };
  },
  cluster: async () => {
    const cluster = await startRedisCluster();
    return { env: cluster.env, parts: cluster.servers, discard: () => cluster.discard() };
  },
  nats: async () => {
    const server = await startNats();
    return { env: server.env, parts: [server], discard: () => server.discard() };
  },
  'nats, 3 replicas': async () => {
    const cluster = await startNatsCluster();
    return { env: cluster.env, parts: cluster.servers, discard: () => cluster.discard() };
  },
} as const satisfies Record<string, () => Promise<Engine>>;

export type EngineName = keyof typeof ENGINES;
