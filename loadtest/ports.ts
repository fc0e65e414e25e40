import { createServer, type Server } from 'node:net';

/** Not two callers in this process with the same port, even if the first has not yet bound it. */
const given = new Set<number>();

/**
 * Processes that run side by side choose from different parts of the range, also those of another checkout. Who listens on
 * the first port of a part has all of it.
 */
const LOWEST = 12_000;
const PORTS_EACH = 500;
const PARTS = 40;
let part: Promise<number> | undefined;

/** The lowest port of a part that no other process has; it is this one's until it ends. */
async function takePart(): Promise<number> {
  for (let attempt = 0; attempt < PARTS; attempt += 1) {
    const lowest = LOWEST + ((process.pid + attempt) % PARTS) * PORTS_EACH;
    if ((await listenOn(lowest)) !== undefined) return lowest;
  }
  throw new Error(`${PARTS} processes that choose ports run already`);
}

/**
 * A TCP port of this host that nobody listens on. It lies below the range from which the kernel takes the ports of
 * outgoing connections, so that it is still free when a process binds it a moment later, or binds it again after a
 * restart.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    part ??= takePart();
    const mine = part;
    const port = await freeIn(await mine);
    if (port !== undefined) return port;
    // Nearly all of it has been given.
    if (part === mine) part = undefined;
  }
}

async function freeIn(lowest: number): Promise<number | undefined> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const port = lowest + 1 + Math.floor(Math.random() * (PORTS_EACH - 1));
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) return port;
  }
  return undefined;
}

async function isFree(port: number): Promise<boolean> {
  const server = await listenOn(port);
  await new Promise<unknown>((resolve) => (server === undefined ? resolve(true) : server.close(resolve)));
  return server !== undefined;
}

/** Undefined: somebody listens there already. It does not keep the process alive. */
function listenOn(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ port, exclusive: true }, () => resolve(server)).unref();
  });
}

export async function freePorts(count: number): Promise<number[]> {
  const ports = [];
  while (ports.length < count) ports.push(await freePort());
  return ports;
}
