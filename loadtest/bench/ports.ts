import { createServer } from 'node:net';

/** Below the range from which Linux takes the ports of outgoing connections, so that no client is on it. */
const LOWEST = 20_000;
const COUNT = 10_000;

/** A port of 127.0.0.1 that is free now. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = LOWEST + Math.floor(Math.random() * COUNT);
    if (await isFree(port)) return port;
  }
  throw new Error('no free port');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
