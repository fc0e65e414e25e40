import { createServer } from 'node:http';
import type { Server } from 'node:http';

/**
 * An HTTP server on HOST and PORT that answers every plain request with 200, which is how the benchmark learns
 * that it is ready. SIGTERM ends the process.
 */
export function listen(): Server {
  const server = createServer((_request, response) => response.end('ok'));
  process.once('SIGTERM', () => process.exit(0));
  return server.listen(Number(process.env['PORT']), process.env['HOST']);
}
