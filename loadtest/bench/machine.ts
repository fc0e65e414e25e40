import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import { centrifugoVersion } from './centrifugo.ts';
import { requireProgram } from '../../scripts/requirements.ts';

const require = createRequire(import.meta.url);

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly loadAverage: number;
  readonly versions: Readonly<Record<string, string>>;
}

/** What the figures depend on: the machine and the versions of what is measured. */
export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    // Above 0 at the start, somebody else uses the machine and the figures are worth less.
    loadAverage: loadavg()[0] ?? 0,
    versions: {
      node: process.versions.node,
      v8: process.versions.v8,
      ws: installed('ws'),
      'socket.io': installed('socket.io'),
      ioredis: installed('ioredis'),
      redis: redisVersion(),
      centrifugo: centrifugoVersion(),
      crosspod: version(new URL('../../package.json', import.meta.url).pathname),
    },
  };
}

/** The same in two lines for a person. */
export function renderMachine({ cpu, cores, memoryGiB, system, loadAverage, versions }: Machine): string {
  const pairs = Object.entries(versions).map((pair) => pair.join(' '));
  return `${cores} × ${cpu}, ${memoryGiB} GiB, ${system}, load ${loadAverage}\n${pairs.join(', ')}`;
}

function installed(name: string): string {
  return version(require.resolve(`${name}/package.json`));
}

function version(file: string): string {
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

/** Only the cases with several pods need one. */
function redisVersion(): string {
  try {
    const { stdout } = spawnSync(requireProgram('redis-server'), ['--version'], { encoding: 'utf8' });
    return /v=([\d.]+)/.exec(stdout)?.[1] ?? 'unknown';
  } catch {
    return 'none';
  }
}
