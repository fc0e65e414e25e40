import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requireProgram } from '../../../scripts/requirements.ts';
import { freePort } from '../../../loadtest/ports.ts';
import { ask } from './http.ts';
import { type CommandLine, Part } from './part.ts';
import type { PodProcess } from './pods.ts';

/** HAProxy before the pods: a client with its cookie stays on its pod as long as that pod is ready. */
export class Haproxy extends Part {
  readonly port: number;
  readonly url: string;
  readonly wsUrl: string;
  /** HAProxy's own page about the pods. */
  readonly statsUrl: string;

  constructor(port: number, statsPort: number, pods: readonly PodProcess[]) {
    super('haproxy');
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.wsUrl = `ws://127.0.0.1:${port}`;
    this.statsUrl = `http://127.0.0.1:${statsPort}/`;
    writeFileSync(this.#configFile, config(port, statsPort, pods));
  }

  /** What it thinks of each pod, by name: `UP`, `DOWN`, … Undefined where it does not answer. */
  async podStates(): Promise<Map<string, string> | undefined> {
    const csv = await ask(`${this.statsUrl};csv`);
    if (csv === undefined) return undefined;
    const [head = [], ...rows] = csv.text.split('\n').map((line) => line.split(','));
    const [name, status] = [head.indexOf('svname'), head.indexOf('status')];
    const pods = rows.filter((row) => row[0] === 'pods' && row[name] !== 'BACKEND');
    return new Map(pods.map((row) => [row[name] ?? '', row[status] ?? '']));
  }

  protected commandLine(): CommandLine {
    return { program: requireProgram('haproxy'), args: ['-db', '-f', this.#configFile] };
  }

  /** Any answer will do: the pods may all be down. */
  protected async isReady(): Promise<boolean> {
    return (await ask(`${this.url}/ws/stats`)) !== undefined;
  }

  get #configFile(): string {
    return join(this.folder, 'haproxy.cfg');
  }
}

function config(port: number, statsPort: number, pods: readonly PodProcess[]): string {
  const servers = pods.map(
    ({ name, ports }) => `  server ${name} 127.0.0.1:${ports.PORT} check port ${ports.OPS_PORT}\n`,
  );
  return `global
  # Where the limit of open files is enormous, HAProxy would take memory for all of them.
  fd-hard-limit 50000

defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  timeout tunnel 1h
  retries 3
  option redispatch
  option forwardfor

frontend clients
  bind 127.0.0.1:${port}
  default_backend pods

backend pods
  balance leastconn
  cookie CROSSPOD insert indirect nocache httponly dynamic
  dynamic-cookie-key crosspod
  option httpchk GET /readyz
  http-check expect status 200
  default-server inter 500ms fall 2 rise 1
${servers.join('')}
frontend statistics
  bind 127.0.0.1:${statsPort}
  stats enable
  stats uri /
`;
}

/** Starts HAProxy on a free port; when this resolves it accepts clients. */
export async function startHaproxy(pods: readonly PodProcess[]): Promise<Haproxy> {
  const haproxy = new Haproxy(await freePort(), await freePort(), pods);
  await haproxy.start();
  return haproxy;
}
