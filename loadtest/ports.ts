import { createServer } from 'node:net';

/** Not two callers in this process with the same port, even if the first has not yet bound it. */
const given = new Set<number>();

/** Processes that run side by side choose from different parts of the range: they know nothing of each other. */
const LOWEST = 12_000;
const PORTS_EACH = 500;
/** Vitest numbers the places of its workers, so that no two that run at once share a part; the others go by chance. */
const WORKERS = 8;
const OTHERS = 32;
const WORKER = process.env['VITEST_POOL_ID'];
const PART = WORKER === undefined ? WORKERS + (process.pid % OTHERS) : Number(WORKER) % WORKERS;

/**
 * A TCP port of this host that nobody listens on. It lies below the range from which the kernel takes the ports of
 * outgoing connections, so that it is still free when a process binds it a moment later, or binds it again after a
 * restart.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const port = LOWEST + PART * PORTS_EACH + Math.floor(Math.random() * PORTS_EACH);
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) return port;
  }
  throw new Error('100 ports that were tried between 12000 and 32000 are all taken');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}

export async function freePorts(count: number): Promise<number[]> {
  const ports = [];
  while (ports.length < count) ports.push(await freePort());
  return ports;
}
