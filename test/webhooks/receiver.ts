import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Inbox } from '../support/inbox.ts';
import { onTestFinished } from 'vitest';

/** A request that waits for its answer. */
export interface Delivery {
  readonly headers: IncomingHttpHeaders;
  readonly path: string;
  readonly body: string;
  readonly events: readonly Record<string, unknown>[];
  /** Resolves when it is answered, or when whoever made it has hung up. */
  readonly gone: Promise<void>;
  readonly answer: (status: number, headers?: Record<string, string>) => void;
}

export interface Receiver {
  /** `http://127.0.0.1:<port>`. */
  readonly origin: string;
  readonly deliveries: Inbox<Delivery>;
  /** How many requests came, and how many of them were open at once. */
  readonly counts: { requests: number; open: number; most: number };
}

/** An HTTP server that answers when the test says so. It lives until the test ends. */
export async function startReceiver(): Promise<Receiver> {
  const deliveries = new Inbox<Delivery>();
  const counts = { requests: 0, open: 0, most: 0 };
  const server = createServer((request, response) => {
    counts.requests += 1;
    counts.open += 1;
    counts.most = Math.max(counts.most, counts.open);
    const gone = new Promise<void>((resolve) => response.once('close', () => resolve()));
    response.once('close', () => (counts.open -= 1));
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      const { events } = JSON.parse(body) as Pick<Delivery, 'events'>;
      const { headers, url: path = '' } = request;
      deliveries.put({ headers, path, body, events, gone, answer: answerOf(response) });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, deliveries, counts };
}

function answerOf(response: ServerResponse): Delivery['answer'] {
  return (status, headers = {}) => void response.writeHead(status, headers).end('thank you');
}
