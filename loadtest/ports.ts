import { createServer } from 'node:net';

/** Not two callers in this process with the same port, even if the first has not yet bound it. */
const given = new Set<number>();

/**
 * A TCP port of this host that nobody listens on. It lies below the range from which the kernel takes the ports of
 * outgoing connections, so that it is still free when a process binds it a moment later, or binds it again after a
 * restart.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const port = 12_000 + Math.floor(Math.random() * 20_000);
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) return port;
  }
  throw new Error('no free port between 12000 and 32000');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}
