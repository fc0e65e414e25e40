import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../../loadtest/ports.ts';
import { requireProgram } from '../../../scripts/requirements.ts';
import { type CommandLine, Part } from './part.ts';
import { type RedisAddress, sendCommand } from './redis-client.ts';

/** The files of a server's certificate, PEM. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  /** Whom clients are to trust; a certificate that signs itself is its own. */
  readonly ca: string;
}

export interface RedisOptions {
  /** Lines of redis.conf, after the usual ones: the last one of a name wins. */
  readonly config?: readonly string[];
  /** What everybody needs to get in: `requirepass`, or with `username` the password of that user of `acl`. */
  readonly password?: string;
  /** The user of `acl` as whom `command` and pods come. */
  readonly username?: string;
  /** Lines of the ACL file, as in `user crosspod on >secret ~realtime:* +@all`. */
  readonly acl?: readonly string[];
  /** TLS only, on the one port there is. */
  readonly tls?: TlsFiles;
  /** More of its environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** One redis-server. It keeps nothing on disk: killed and started again it is empty, unless it is a replica. */
export class RedisServer extends Part {
  readonly port: number;
  /** The address with everything to get in, for `REDIS_URL`. */
  readonly url: string;
  readonly #options: RedisOptions;

  constructor(name: string, port: number, options: RedisOptions = {}) {
    super(name);
    this.port = port;
    this.#options = options;
    const { username = '', password, tls } = options;
    const login = password === undefined ? '' : `${username}:${encodeURIComponent(password)}@`;
    this.url = `${tls === undefined ? 'redis' : 'rediss'}://${login}127.0.0.1:${port}`;
    if (options.acl !== undefined) writeFileSync(this.#aclFile, `${options.acl.join('\n')}\n`);
    // Only once: Redis itself writes into it whom it follows.
    writeFileSync(this.#configFile, `${this.#configLines().join('\n')}\n`, { mode: 0o600 });
  }

  /** What a pod needs to use this server, and only it. */
  get env(): Record<string, string> {
    const { tls } = this.#options;
    return { REDIS_URL: this.url, ...(tls === undefined ? {} : { NODE_EXTRA_CA_CERTS: tls.ca }) };
  }

  /** Sends it a command; the reply as RESP2 has it. Throws what Redis refuses, and where it does not answer in 10 s. */
  command(name: string, ...args: string[]): Promise<unknown> {
    const { username, password, tls } = this.#options;
    const address: RedisAddress = { port: this.port, username, password, ca: tls?.ca };
    return sendCommand(address, name, ...args);
  }

  /** The fields of `INFO replication`: `role`, `master_link_status`, `connected_slaves`, … */
  async replication(): Promise<Map<string, string>> {
    const lines = String(await this.command('INFO', 'replication')).split('\r\n');
    return new Map(lines.map((line) => line.split(/:(.*)/, 2) as [string, string]));
  }

  protected commandLine(): CommandLine {
    const { env } = this.#options;
    return { program: requireProgram('redis-server'), args: [this.#configFile], ...(env && { env }) };
  }

  protected async isReady(): Promise<boolean> {
    return this.command('PING').then(
      (reply) => reply === 'PONG',
      // Who it is that asks is known to it.
      (error: unknown) => String(error).includes('NOPERM'),
    );
  }

  get #configFile(): string {
    return join(this.folder, 'redis.conf');
  }

  get #aclFile(): string {
    return join(this.folder, 'users.acl');
  }

  #configLines(): string[] {
    const { config = [], username, password, acl, tls } = this.#options;
    return [
      'bind 127.0.0.1',
      `dir ${this.folder}`,
      'save ""',
      'appendonly no',
      // A replica does not wait for others to sync with.
      'repl-diskless-sync-delay 0',
      ...(tls === undefined ? [`port ${this.port}`] : tlsLines(this.port, tls)),
      ...(acl === undefined ? [] : [`aclfile ${this.#aclFile}`]),
      ...(password === undefined ? [] : [`masterauth ${password}`]),
      ...(password === undefined || username !== undefined ? [] : [`requirepass ${password}`]),
      ...(username === undefined ? [] : [`masteruser ${username}`]),
      ...config,
    ];
  }
}

function tlsLines(port: number, { cert, key, ca }: TlsFiles): string[] {
  return [
    'port 0',
    `tls-port ${port}`,
    `tls-cert-file ${cert}`,
    `tls-key-file ${key}`,
    `tls-ca-cert-file ${ca}`,
    'tls-auth-clients no',
    'tls-replication yes',
  ];
}

/** Starts a Redis of its own on a free port and waits until it answers. */
export async function startRedis(options: RedisOptions = {}, name = 'redis-1'): Promise<RedisServer> {
  const server = new RedisServer(name, await freePort(), options);
  await server.start();
  return server;
}
