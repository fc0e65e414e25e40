import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../../loadtest/ports.ts';
import { requireProgram } from '../../../scripts/requirements.ts';
import { type CommandLine, Part } from './part.ts';
import { answersOk } from './http.ts';
import type { TlsFiles } from './redis-server.ts';

export interface NatsOptions {
  /** Lines of the server's configuration, after the usual ones. */
  readonly config?: readonly string[];
  /** What it may keep on its disk; 1GB. */
  readonly maxFile?: string;
  /** What its streams may be, as lines of `limits` in its `jetstream` block. */
  readonly limits?: readonly string[];
  /** What everybody needs to get in. */
  readonly user?: string;
  readonly password?: string;
  readonly tls?: TlsFiles;
}

/** Where a server of a cluster meets the others. */
export interface NatsRoutes {
  readonly port: number;
  /** Of all servers, this one among them. */
  readonly all: readonly number[];
}

/** One nats-server with JetStream, which keeps its streams in its folder: killed and started again it has them. */
export class NatsServer extends Part {
  readonly port: number;
  /** The address with everything to get in, for `NATS_URL`. */
  readonly url: string;
  readonly #monitorPort: number;
  readonly #options: NatsOptions;

  constructor(
    name: string,
    port: number,
    monitorPort: number,
    options: NatsOptions = {},
    routes?: NatsRoutes,
  ) {
    super(name);
    this.port = port;
    this.#monitorPort = monitorPort;
    this.#options = options;
    const { user, password, tls } = options;
    const login = user === undefined ? '' : `${user}:${encodeURIComponent(password ?? '')}@`;
    this.url = `${tls === undefined ? 'nats' : 'tls'}://${login}127.0.0.1:${port}`;
    writeFileSync(this.#configFile, `${this.#configLines(routes).join('\n')}\n`, { mode: 0o600 });
  }

  /** What a pod needs to use this server, and only it. */
  get env(): Record<string, string> {
    const { tls } = this.#options;
    return {
      BROADCAST_MQ_TYPE: 'nats',
      NATS_URL: this.url,
      ...(tls === undefined ? {} : { NATS_CA_FILE: tls.ca }),
    };
  }

  /** The name of the server that leads a stream, as this one knows it; undefined where there is none. */
  async leaderOf(stream: string): Promise<string | undefined> {
    const answer = await fetch(`http://127.0.0.1:${this.#monitorPort}/jsz?accounts=true&streams=true`, {
      signal: AbortSignal.timeout(2_000),
    });
    const { account_details: accounts = [] } = (await answer.json()) as JetStreamReport;
    const details = accounts.flatMap(({ stream_detail: streams = [] }) => streams);
    return details.find(({ name }) => name === stream)?.cluster?.leader;
  }

  protected commandLine(): CommandLine {
    return { program: requireProgram('nats-server'), args: ['--config', this.#configFile] };
  }

  protected isReady(): Promise<boolean> {
    return answersOk(`http://127.0.0.1:${this.#monitorPort}/healthz`);
  }

  get #configFile(): string {
    return join(this.folder, 'nats.conf');
  }

  #configLines(routes: NatsRoutes | undefined): string[] {
    const { config = [], maxFile = '1GB', limits = [], user, password, tls } = this.#options;
    return [
      `server_name: ${this.name}`,
      `listen: "127.0.0.1:${this.port}"`,
      `http: "127.0.0.1:${this.#monitorPort}"`,
      `jetstream { store_dir: "${this.folder}/store", max_mem: 64MB, max_file: ${maxFile}, limits { ${limits.join(', ')} } }`,
      ...(user === undefined ? [] : [`authorization { user: "${user}", password: "${password ?? ''}" }`]),
      ...(tls === undefined ? [] : [`tls { cert_file: "${tls.cert}", key_file: "${tls.key}" }`]),
      ...(routes === undefined ? [] : clusterLines(routes)),
      ...config,
    ];
  }
}

interface JetStreamReport {
  readonly account_details?: readonly {
    readonly stream_detail?: readonly {
      readonly name: string;
      readonly cluster?: { readonly leader?: string };
    }[];
  }[];
}

function clusterLines({ port, all }: NatsRoutes): string[] {
  const routes = all.map((one) => `"nats://127.0.0.1:${one}"`).join(', ');
  return [`cluster { name: crosspod, listen: "127.0.0.1:${port}", routes: [${routes}] }`];
}

/** Starts a NATS of its own on free ports and waits until it answers. */
export async function startNats(options: NatsOptions = {}, name = 'nats-1'): Promise<NatsServer> {
  const server = new NatsServer(name, await freePort(), await freePort(), options);
  await server.start();
  return server;
}
