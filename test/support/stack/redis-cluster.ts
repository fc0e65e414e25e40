import { freePorts } from '../../../loadtest/ports.ts';
import { RedisServer } from './redis-server.ts';
import { until } from './until.ts';

const DEADLINE_MS = 60_000;
const SLOTS = 16_384;

export interface RedisClusterOptions {
  /** 3 */
  readonly masters?: number;
  /** Of each master; 1. */
  readonly replicas?: number;
  /** A master that is silent for so long is replaced; 1,500. */
  readonly nodeTimeoutMs?: number;
  /** Lines of redis.conf for each server. */
  readonly config?: readonly string[];
  /** More of the environment of each server. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A Redis Cluster: masters that have the slots between them, and replicas that take over when a master dies. */
export class RedisCluster {
  readonly servers: readonly RedisServer[];
  /** What a pod needs to find it: not all of the servers, since those know the others. */
  readonly env: Readonly<Record<string, string>>;

  constructor(servers: readonly RedisServer[]) {
    this.servers = servers;
    const some = servers.slice(0, 2).map(({ port }) => `127.0.0.1:${port}`);
    this.env = { REDIS_CLUSTER: some.join(',') };
  }

  /** The slot of a key, as Redis counts. */
  async slotOf(key: string): Promise<number> {
    return Number(await this.#any().command('CLUSTER', 'KEYSLOT', key));
  }

  /** The server that all who run call the master of the slot. */
  async masterOf(slot: number): Promise<RedisServer> {
    let master: RedisServer | undefined;
    await until(
      `one master of slot ${slot}`,
      async () => {
        const named = await Promise.all(this.#running().map((server) => masterPort(server, slot)));
        master =
          new Set(named).size === 1 ? this.#running().find(({ port }) => port === named[0]) : undefined;
        return master !== undefined;
      },
      DEADLINE_MS,
    );
    return master ?? this.#any();
  }

  /** A replica that follows its master. */
  async anyReplica(): Promise<RedisServer | undefined> {
    for (const server of this.#running()) {
      if ((await server.replication()).get('master_link_status') === 'up') return server;
    }
    return undefined;
  }

  /** The first slot of each range that the server has. */
  async slotsOf({ port }: RedisServer): Promise<number[]> {
    const ranges = (await this.#any().command('CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
    return ranges.filter(([, , [, master]]) => master === port).map(([first]) => first);
  }

  /** All masters that have slots. */
  async masters(): Promise<RedisServer[]> {
    const ranges = (await this.#any().command('CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
    const ports = new Set(ranges.map(([, , [, port]]) => port));
    return this.servers.filter(({ port }) => ports.has(port));
  }

  /** Begins to move a slot: what is in it goes over by `moveKeys`, and is taken there after `endMove`. */
  async beginMove(slot: number, to: RedisServer): Promise<RedisServer> {
    const from = await this.masterOf(slot);
    await to.command('CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', await idOf(from));
    await from.command('CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', await idOf(to));
    return from;
  }

  /** Moves so many of the slot's keys, or as many as there are; gives how many went. */
  async moveKeys(slot: number, from: RedisServer, to: RedisServer, most = 1_000): Promise<number> {
    const keys = (await from.command('CLUSTER', 'GETKEYSINSLOT', String(slot), String(most))) as string[];
    if (keys.length > 0) {
      await from.command('MIGRATE', '127.0.0.1', String(to.port), '', '0', '5000', 'KEYS', ...keys);
    }
    return keys.length;
  }

  /** From now on the slot is the other's; what was written meanwhile goes over first. */
  async endMove(slot: number, from: RedisServer, to: RedisServer): Promise<void> {
    while ((await this.moveKeys(slot, from, to)) > 0);
    const id = await idOf(to);
    await to.command('CLUSTER', 'SETSLOT', String(slot), 'NODE', id);
    for (const server of await this.masters()) {
      if (server !== to) await server.command('CLUSTER', 'SETSLOT', String(slot), 'NODE', id);
    }
  }

  async move(slot: number, to: RedisServer): Promise<void> {
    const from = await this.beginMove(slot, to);
    await this.endMove(slot, from, to);
  }

  /** Waits until every server that runs says that all slots are served, and every replica follows. */
  async isWell(): Promise<void> {
    const isOk = async (server: RedisServer): Promise<boolean> => {
      const info = String(await server.command('CLUSTER', 'INFO'));
      const replication = await server.replication();
      const follows = replication.get('role') === 'master' || replication.get('master_link_status') === 'up';
      return follows && info.includes('cluster_state:ok') && info.includes(`cluster_slots_ok:${SLOTS}`);
    };
    await until(
      'a Cluster that is well',
      async () => {
        const all = await Promise.all(this.#running().map((server) => isOk(server).catch(() => false)));
        return all.every(Boolean);
      },
      DEADLINE_MS,
    );
  }

  async discard(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.discard()));
  }

  #running(): RedisServer[] {
    return this.servers.filter(({ state }) => state === 'running');
  }

  #any(): RedisServer {
    const [server] = this.#running();
    if (server === undefined) throw new Error('no server of the Cluster is running');
    return server;
  }
}

async function idOf(server: RedisServer): Promise<string> {
  return String(await server.command('CLUSTER', 'MYID'));
}

async function masterPort(server: RedisServer, slot: number): Promise<number | undefined> {
  const ranges = (await server.command('CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
  return ranges.find(([first, last]) => first <= slot && slot <= last)?.[2][1];
}

/** Starts the servers, each on a free port, and waits until they are a Cluster that is well. */
export async function startRedisCluster(options: RedisClusterOptions = {}): Promise<RedisCluster> {
  const { masters = 3, replicas = 1, nodeTimeoutMs = 1_500, config = [], env } = options;
  const number = masters * (1 + replicas);
  const ports = await freePorts(2 * number);
  const servers = Array.from({ length: number }, (_, index) => {
    const lines = [
      'cluster-enabled yes',
      'cluster-config-file nodes.conf',
      `cluster-port ${ports[number + index]}`,
      `cluster-node-timeout ${nodeTimeoutMs}`,
      // A replica takes over also where it was without its master for some time.
      'cluster-replica-validity-factor 0',
      ...config,
    ];
    return new RedisServer(`redis-${index + 1}`, ports[index] ?? 0, { config: lines, ...(env && { env }) });
  });
  const cluster = new RedisCluster(servers);
  try {
    await Promise.all(servers.map((server) => server.start()));
    await form(servers, masters, ports.slice(number));
    await cluster.isWell();
  } catch (error) {
    await cluster.discard();
    throw error;
  }
  return cluster;
}

async function form(
  servers: readonly RedisServer[],
  masters: number,
  busPorts: readonly number[],
): Promise<void> {
  const [first] = servers;
  const share = Math.ceil(SLOTS / masters);
  for (const [index, server] of servers.entries()) {
    await server.command('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
    if (index < masters) {
      const last = Math.min((index + 1) * share, SLOTS) - 1;
      await server.command('CLUSTER', 'ADDSLOTSRANGE', String(index * share), String(last));
    }
    if (index > 0) {
      await first?.command('CLUSTER', 'MEET', '127.0.0.1', String(server.port), String(busPorts[index]));
    }
  }
  for (const [index, server] of servers.slice(masters).entries()) {
    const id = await idOf(servers[index % masters] ?? server);
    const replicate = (): Promise<boolean> =>
      server.command('CLUSTER', 'REPLICATE', id).then(
        () => true,
        // It does not know its master yet.
        () => false,
      );
    await until('a replica that knows its master', replicate, DEADLINE_MS);
  }
}
