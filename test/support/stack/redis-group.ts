import { freePorts } from '../../../loadtest/ports.ts';
import type { Part } from './part.ts';
import { type RedisOptions, RedisServer } from './redis-server.ts';
import { MASTER_NAME, Sentinel, type SentinelOptions, type Watch } from './sentinel.ts';
import { until } from './until.ts';

/** More than the second attempt of a failover takes. */
const FAILOVER_DEADLINE_MS = 60_000;

export interface RedisGroupOptions {
  /** For each server. */
  readonly redis?: RedisOptions;
  /** 2 */
  readonly replicas?: number;
  /** 3 */
  readonly sentinels?: number;
  readonly sentinel?: SentinelOptions;
  /** Replicas without which the master refuses to write; 1. */
  readonly minReplicasToWrite?: number;
}

/** A master, its replicas, and the Sentinels that choose another master when it dies. */
export class RedisGroup {
  /** `redis-1`, which begins as the master, and the others. */
  readonly servers: readonly RedisServer[];
  readonly sentinels: readonly Sentinel[];
  /** What a pod needs to find the master. */
  readonly env: Readonly<Record<string, string>>;

  constructor(servers: readonly RedisServer[], sentinels: readonly Sentinel[], watch: Watch) {
    this.servers = servers;
    this.sentinels = sentinels;
    const { username, password } = watch.redis;
    this.env = {
      REDIS_SENTINELS: sentinels.map(({ port }) => `127.0.0.1:${port}`).join(','),
      REDIS_SENTINEL_MASTER: MASTER_NAME,
      ...(watch.options.password === undefined ? {} : { REDIS_SENTINEL_PASSWORD: watch.options.password }),
      ...(username === undefined ? {} : { REDIS_USERNAME: username }),
      ...(password === undefined ? {} : { REDIS_PASSWORD: password }),
    };
  }

  /** The server that the first Sentinel that runs takes for the master. */
  async master(): Promise<RedisServer> {
    const port = await this.#anySentinel().masterPort();
    const server = this.servers.find((one) => one.port === port);
    if (server === undefined)
      throw new Error(`the Sentinels name port ${port}, which is no server of this group`);
    return server;
  }

  /** The servers that are not the master. */
  async replicas(): Promise<RedisServer[]> {
    const master = await this.master();
    return this.servers.filter((server) => server !== master);
  }

  /**
   * `SENTINEL FAILOVER`: another server becomes the master although this one is well. Gives the new master as soon as
   * all Sentinels that run say that it is. Throws Sentinel's refusal (`INPROG`, `NOGOODSLAVE`).
   */
  async failover(): Promise<RedisServer> {
    const before = await this.master();
    const sentinel = this.#anySentinel();
    await sentinel.failOver();
    return this.masterOtherThan(before, FAILOVER_DEADLINE_MS, async () => {
      // The replica it chose was not up to it. By itself it does not try again.
      if (await sentinel.keeps(before.port)) await sentinel.failOver();
    });
  }

  /** Waits until all Sentinels that run agree on a master other than the given one. */
  async masterOtherThan(
    before: RedisServer,
    timeoutMs = FAILOVER_DEADLINE_MS,
    meanwhile = async (): Promise<void> => undefined,
  ): Promise<RedisServer> {
    let agreed: RedisServer | undefined;
    const agree = async (): Promise<boolean> => {
      const sentinels = this.#running(this.sentinels);
      const ports = new Set(await Promise.all(sentinels.map((sentinel) => sentinel.masterPort())));
      agreed = this.servers.find(({ port }) => port !== before.port && ports.size === 1 && ports.has(port));
      if (agreed === undefined) await meanwhile();
      return agreed !== undefined;
    };
    await until(`a master other than ${before.name}`, agree, timeoutMs);
    return agreed ?? this.master();
  }

  /**
   * Waits until every server that runs, but the master, is its replica and in sync, and every Sentinel that runs knows
   * that: a failover could follow at once. After one came back this takes some 20 s, as long as Sentinels need.
   */
  async inSync(timeoutMs = FAILOVER_DEADLINE_MS): Promise<void> {
    await until('all replicas in sync', () => this.#isInSync(), timeoutMs);
  }

  async discard(): Promise<void> {
    await Promise.all([...this.sentinels, ...this.servers].map((part) => part.discard()));
  }

  async #isInSync(): Promise<boolean> {
    const master = await this.master();
    const replicas = this.#running(this.servers).filter((server) => server !== master);
    const infos = await Promise.all(replicas.map((server) => server.replication()));
    const follow = infos.every(
      (info) => info.get('master_port') === String(master.port) && info.get('master_link_status') === 'up',
    );
    if (!follow) return false;
    const ports = replicas.map(({ port }) => port);
    const sentinels = this.#running(this.sentinels);
    const known = await Promise.all(sentinels.map((sentinel) => sentinel.knowsReplicas(master.port, ports)));
    return known.every(Boolean);
  }

  #running<P extends Part>(parts: readonly P[]): P[] {
    return parts.filter(({ state }) => state === 'running');
  }

  #anySentinel(): Sentinel {
    const [sentinel] = this.#running(this.sentinels);
    if (sentinel === undefined) throw new Error('no Sentinel is running');
    return sentinel;
  }
}

/** Starts the servers and the Sentinels, each on a free port; when this resolves, a failover could follow at once. */
export async function startRedisGroup(options: RedisGroupOptions = {}): Promise<RedisGroup> {
  const { redis = {}, replicas = 2, sentinels = 3, sentinel = {}, minReplicasToWrite = 1 } = options;
  const [masterPort = 0, ...replicaPorts] = await freePorts(1 + replicas);
  const sentinelPorts = await freePorts(sentinels);
  const watch: Watch = { masterPort, replicaPorts, sentinelPorts, redis, options: sentinel };
  const config = [`min-replicas-to-write ${minReplicasToWrite}`, ...(redis.config ?? [])];
  const servers = [masterPort, ...replicaPorts].map((port, index) => {
    const follows = index === 0 ? [] : [`replicaof 127.0.0.1 ${masterPort}`];
    return new RedisServer(`redis-${index + 1}`, port, { ...redis, config: [...config, ...follows] });
  });
  const watchers = sentinelPorts.map((port, index) => new Sentinel(`sentinel-${index + 1}`, port, watch));
  const group = new RedisGroup(servers, watchers, watch);
  try {
    await Promise.all([...servers, ...watchers].map((part) => part.start()));
    await group.inSync();
    await until('Sentinels that reach each other', () => allHaveQuorum(watchers), FAILOVER_DEADLINE_MS);
  } catch (error) {
    await group.discard();
    throw error;
  }
  return group;
}

async function allHaveQuorum(sentinels: readonly Sentinel[]): Promise<boolean> {
  const having = await Promise.all(sentinels.map((sentinel) => sentinel.hasQuorum()));
  return having.every(Boolean);
}
