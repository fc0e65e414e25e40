import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const MAIN = join(import.meta.dirname, '../dist/main.js');

/** Nothing listens there. */
const NOWHERE = '127.0.0.1:1';

/** Each loads another part of the bundle. What the first one runs of `main.js` is what the cache has of it. */
const SETTINGS: readonly Readonly<Record<string, string>>[] = [
  { REDIS_URL: `redis://${NOWHERE}`, JWT_SECRET: 'a secret that only fills the cache' },
  { NATS_URL: `nats://${NOWHERE}` },
  { OTEL_EXPORTER_OTLP_ENDPOINT: `http://${NOWHERE}` },
];

/** Starts the bundle until it is ready, and ends it: Node writes the compiled code into `cache` at the end. */
export async function fillCompileCache(cache: string, main = MAIN): Promise<void> {
  for (const settings of SETTINGS) await startAndEnd(main, { ...settings, NODE_COMPILE_CACHE: cache });
  makeReadable(cache);
}

async function startAndEnd(main: string, settings: Readonly<Record<string, string>>): Promise<void> {
  const env = {
    PORT: '0',
    OPS_PORT: '0',
    LOG_FORMAT: 'json',
    START_WAIT_SECONDS: '1',
    DRAIN_DELAY_SECONDS: '0',
    DRAIN_WINDOW_SECONDS: '0',
    ...settings,
  };
  const pod = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(pod, 'exit');
  const lines: string[] = [];
  for await (const line of createInterface(pod.stdout)) {
    lines.push(line);
    if (line.includes('"msg":"ready"')) pod.kill('SIGTERM');
  }
  const [code] = (await ended) as [number | null];
  if (code !== 0) throw new Error(`the pod ended with ${code}:\n${lines.join('\n')}`);
}

/** Node lets only the user who wrote the cache read its files. */
function makeReadable(cache: string): void {
  for (const entry of readdirSync(cache, { recursive: true, withFileTypes: true }))
    chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644);
}

if (import.meta.main) {
  const [, , cache] = process.argv;
  if (cache === undefined) throw new Error('usage: fill-compile-cache.ts FOLDER');
  await fillCompileCache(cache);
}
