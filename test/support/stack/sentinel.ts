import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requireProgram } from '../../../scripts/requirements.ts';
import { type CommandLine, Part } from './part.ts';
import { sendCommand } from './redis-client.ts';
import type { RedisOptions } from './redis-server.ts';

/** The name under which Sentinels know the group. */
export const MASTER_NAME = 'mymaster';

export interface SentinelOptions {
  /**
   * Silence of the master after which a Sentinel takes it for dead; 5000. Sentinels ping once a second: with much less
   * than 2000 a machine that is busy for a moment makes them replace a master that is well.
   */
  readonly downAfterMs?: number;
  /** `failover-timeout`; 5000. A failover that failed is tried again after twice that, one that succeeded at once. */
  readonly failoverTimeoutMs?: number;
  /** What Sentinels ask of everybody, and of each other. */
  readonly password?: string;
}

/** What Sentinels watch over, and who they are, as they begin. */
export interface Watch {
  readonly masterPort: number;
  readonly replicaPorts: readonly number[];
  /** All Sentinels, this one among them. */
  readonly sentinelPorts: readonly number[];
  readonly redis: RedisOptions;
  readonly options: SentinelOptions;
}

/** One Redis Sentinel. What it learned it keeps in its configuration file, and still knows when started again. */
export class Sentinel extends Part {
  readonly port: number;
  readonly #watch: Watch;

  constructor(name: string, port: number, watch: Watch) {
    super(name);
    this.port = port;
    this.#watch = watch;
    writeFileSync(this.#configFile, `${configLines(port, this.folder, watch).join('\n')}\n`, { mode: 0o600 });
  }

  /** Sends it a command, as in `command('SENTINEL', 'MASTERS')`; the reply as RESP2 has it. */
  command(name: string, ...args: string[]): Promise<unknown> {
    return sendCommand({ port: this.port, password: this.#watch.options.password }, name, ...args);
  }

  /** The port of the master as it tells clients: the new one as soon as that is promoted. */
  async masterPort(): Promise<number> {
    const reply = await this.command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER_NAME);
    return Number((reply as [string, string])[1]);
  }

  /** Whether it is content with this master: it neither has another one nor is choosing one. */
  async keeps(masterPort: number): Promise<boolean> {
    const reply = (await this.command('SENTINEL', 'MASTER', MASTER_NAME)) as string[];
    const flags = field(reply, 'flags').split(',');
    return field(reply, 'port') === String(masterPort) && !flags.includes('failover_in_progress');
  }

  /** `SENTINEL FAILOVER`; throws its refusal. */
  async failOver(): Promise<void> {
    await this.command('SENTINEL', 'FAILOVER', MASTER_NAME);
  }

  /** Whether it could reach enough others to replace the master. */
  async hasQuorum(): Promise<boolean> {
    return String(await this.command('SENTINEL', 'CKQUORUM', MASTER_NAME)).startsWith('OK');
  }

  /**
   * Whether it knows of each of these replicas that it follows that master. It asks them every 10 s only, and may
   * choose one that it has an old picture of; such a failover comes to nothing.
   */
  async knowsReplicas(masterPort: number, replicaPorts: readonly number[]): Promise<boolean> {
    const replicas = (await this.command('SENTINEL', 'REPLICAS', MASTER_NAME)) as string[][];
    const following = replicas.filter(
      (replica) =>
        field(replica, 'flags') === 'slave' &&
        field(replica, 'role-reported') === 'slave' &&
        field(replica, 'master-link-status') === 'ok' &&
        field(replica, 'master-port') === String(masterPort),
    );
    const known = following.map((replica) => Number(field(replica, 'port')));
    return replicaPorts.every((port) => known.includes(port));
  }

  protected commandLine(): CommandLine {
    return { program: requireProgram('redis-sentinel'), args: [this.#configFile] };
  }

  protected async isReady(): Promise<boolean> {
    return this.command('PING').then(
      (reply) => reply === 'PONG',
      () => false,
    );
  }

  get #configFile(): string {
    return join(this.folder, 'sentinel.conf');
  }
}

function configLines(port: number, folder: string, watch: Watch): string[] {
  const { masterPort, replicaPorts, sentinelPorts, redis, options } = watch;
  const { downAfterMs = 5000, failoverTimeoutMs = 5000, password } = options;
  const others = sentinelPorts.filter((other) => other !== port);
  return [
    'bind 127.0.0.1',
    `port ${port}`,
    `dir ${folder}`,
    ...(password === undefined ? [] : [`requirepass ${password}`, `sentinel sentinel-pass ${password}`]),
    `sentinel myid ${idOf(port)}`,
    `sentinel monitor ${MASTER_NAME} 127.0.0.1 ${masterPort} ${quorum(sentinelPorts.length)}`,
    `sentinel down-after-milliseconds ${MASTER_NAME} ${downAfterMs}`,
    `sentinel failover-timeout ${MASTER_NAME} ${failoverTimeoutMs}`,
    ...(redis.username === undefined ? [] : [`sentinel auth-user ${MASTER_NAME} ${redis.username}`]),
    ...(redis.password === undefined ? [] : [`sentinel auth-pass ${MASTER_NAME} ${redis.password}`]),
    // They would find all this out within seconds. Nobody needs to wait for it.
    ...replicaPorts.map((replica) => `sentinel known-replica ${MASTER_NAME} 127.0.0.1 ${replica}`),
    ...others.map((other) => `sentinel known-sentinel ${MASTER_NAME} 127.0.0.1 ${other} ${idOf(other)}`),
  ];
}

/** A field of a reply that is a list of names, each followed by its value. */
function field(reply: readonly string[], name: string): string {
  return reply[reply.indexOf(name) + 1] ?? '';
}

function quorum(sentinels: number): number {
  return Math.floor(sentinels / 2) + 1;
}

/** Every Sentinel has an id of 40 hexadecimal digits. */
function idOf(port: number): string {
  return createHash('sha1').update(`sentinel ${port}`).digest('hex');
}
