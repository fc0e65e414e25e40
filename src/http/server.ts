import { type AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import type { Hono } from 'hono';
import { Server } from 'node:http';

/** An HTTP server of Node for Hono routes; it does not listen yet. */
export function createServer(app: Hono): Server {
  const server = createAdaptorServer({ fetch: app.fetch });
  if (!(server instanceof Server)) throw new TypeError('an HTTP/1.1 server is needed');
  return server;
}

/** Resolves with the port once the server listens; raises what the system says, EADDRINUSE for one. */
export function listen(server: Server, port: number, host?: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}
