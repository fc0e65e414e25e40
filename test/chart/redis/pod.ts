import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type CommandLine, Part } from '../../support/stack/part.ts';
import { sendCommand } from '../../support/stack/redis-client.ts';
import { requireProgram } from '../../../scripts/requirements.ts';

/** What needs quoting in every language on the way must not be a problem. */
export const PASSWORDS = {
  REPLICATION_PASSWORD: 'all "of\\ it\' $HOME #1',
  SENTINEL_PASSWORD: 'watch "the\\ master\' $1',
  CROSSPOD_PASSWORD: 'only "a\\ little\' `id`',
} as const;

export interface PodPorts {
  readonly redis: number;
  readonly sentinel: number;
}

/** A container of a pod: one of the rendered scripts, run by dash, and what it becomes. */
class Container extends Part {
  readonly port: number;
  readonly #script: string;
  readonly #env: Readonly<Record<string, string>>;

  constructor(name: string, script: string, port: number, env: Readonly<Record<string, string>>) {
    super(name);
    this.port = port;
    this.#script = script;
    this.#env = { ...env, RUN_DIR: this.folder };
  }

  /** The variables that its scripts see. */
  get environment(): Readonly<Record<string, string>> {
    return this.#env;
  }

  /** Its program's answer, asked with the password of whom may do everything. */
  command(name: string, ...args: string[]): Promise<unknown> {
    const isSentinel = this.#script.startsWith('sentinel');
    const password = isSentinel ? PASSWORDS.SENTINEL_PASSWORD : PASSWORDS.REPLICATION_PASSWORD;
    const tls = this.#env['TLS_DIR'] ?? '';
    const ca = tls === '' ? undefined : join(tls, 'ca.crt');
    return sendCommand({ port: this.port, password, ca }, name, ...args);
  }

  /** Runs a script in the container, as probes and preStop do; gives its exit code. */
  run(script: string, ...args: string[]): Promise<number> {
    const { args: before, env } = this.commandLine();
    const [start = ''] = before;
    const file = start.replace(this.#script, script);
    const options = { env: { PATH: process.env['PATH'], ...env } };
    return new Promise((resolve) => {
      execFile('dash', [file, ...args], options, (error) => resolve(error === null ? 0 : Number(error.code)));
    });
  }

  /** While it waits it is a shell with a child, which would stay when the shell is killed. */
  override async discard(): Promise<void> {
    if (this.state !== 'ended') await this.stop();
    await super.discard();
  }

  protected commandLine(): CommandLine {
    return {
      program: 'dash',
      args: [join(this.#env['CONFIG_DIR'] ?? '', this.#script)],
      env: this.#env,
    };
  }

  protected async isReady(): Promise<boolean> {
    return (
      (await this.run('health.sh', this.#script.startsWith('redis') ? 'redis-ready' : 'sentinel-ready')) === 0
    );
  }
}

/** A pod: both containers, and the volume that stays when it is replaced. */
export class RedisPod {
  readonly ordinal: number;
  readonly redis: Container;
  readonly sentinel: Container;
  readonly #data: string;

  constructor(ordinal: number, { redis, sentinel }: PodPorts, config: string, tls: string) {
    requireProgram('redis-server');
    this.ordinal = ordinal;
    const name = `redis-${ordinal}`;
    this.#data = join(config, '..', `data-${ordinal}`);
    mkdirSync(this.#data);
    const folders = { CONFIG_DIR: config, DATA_DIR: this.#data, TLS_DIR: tls };
    const env = { ...PASSWORDS, ...folders, POD_NAME: `r-crosspod-${name}` };
    this.redis = new Container(name, 'redis-start.sh', redis, env);
    this.sentinel = new Container(`sentinel-${ordinal}`, 'sentinel-start.sh', sentinel, env);
  }

  get containers(): readonly Container[] {
    return [this.redis, this.sentinel];
  }

  launch(): void {
    for (const container of this.containers) container.launch();
  }

  /** Both containers at once, without a goodbye. */
  async kill(): Promise<void> {
    await Promise.all(this.containers.map((container) => container.kill()));
  }

  /** What Redis says to ROLE; undefined when it does not run. */
  async role(): Promise<string | undefined> {
    const reply = await this.redis.command('ROLE').catch(() => undefined);
    return (reply as [string] | undefined)?.[0];
  }

  /** The port of the master that its Sentinel knows. */
  async watched(): Promise<number> {
    const reply = await this.sentinel.command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'mymaster');
    return Number((reply as [string, string] | null)?.[1]);
  }

  /** It gets an empty volume, as a pod that is placed on another node without its old one. */
  loseVolume(): void {
    rmSync(this.#data, { recursive: true });
    mkdirSync(this.#data);
  }

  /** What is written on its volume about the last master. */
  get marker(): string | undefined {
    return existsSync(this.#marker) ? readFileSync(this.#marker, 'utf8').trim() : undefined;
  }

  get #marker(): string {
    return join(this.#data, 'last-master');
  }
}
