import { type AddressInfo } from 'node:net';
import { answerParserErrors, answerConversionError, refuseWithoutHost } from './unparsed-requests.ts';
import { latestAnswers } from './latest-answers.ts';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import type { Duplex } from 'node:stream';
import { type IncomingMessage, Server } from 'node:http';

/** How often a closing server closes the connections that have become idle. */
const IDLE_CHECK_MS = 20;
/** How long a closing server waits for its last answers. */
const ANSWER_MS = 2_000;
/** The time limit for the head of a request: a client that sends slowly or nothing holds a connection for so long. */
const LEAST_HEAD_MS = 60_000;
const MOST_HEAD_MS = 300_000;
/** The limit of Linux: the clients of a dead pod connect all at once, and one beyond the backlog waits for seconds. */
const BACKLOG = 4_096;

export interface ServerOptions {
  /** How long an idle connection stays open, in milliseconds. */
  readonly keepAliveMs: number;
  /** The host of HTTP/1.0 requests without one. Absent: such requests are answered with 400. */
  readonly hostWhereNone?: string;
}

/** Creates an HTTP server for Hono routes. It does not listen yet. */
export function createServer(app: Hono, { keepAliveMs, hostWhereNone }: ServerOptions): Server {
  const listener = getRequestListener(app.fetch, {
    ...(hostWhereNone !== undefined && { hostname: hostWhereNone }),
    errorHandler: answerConversionError,
  });
  const options = {
    // Node would close the connection of any other upgrade request without an answer.
    shouldUpgradeCallback: (request: IncomingMessage) =>
      server.listenerCount('upgrade') > 0 && wantsWebSocket(request),
    // Node would refuse a request without Host with an empty body.
    requireHostHeader: false,
    keepAliveTimeout: keepAliveMs,
    // Proxies keep connections open before the first request; Node counts that time as waiting for the head.
    headersTimeout: Math.min(Math.max(keepAliveMs, LEAST_HEAD_MS), MOST_HEAD_MS),
    requestTimeout: MOST_HEAD_MS,
  };
  const server: Server = new Server(options, (request, response) => {
    if (!refuseWithoutHost(request, response)) void listener(request, response);
  });
  answerParserErrors(server);
  return server;
}

type UpgradeHandler = (request: IncomingMessage, stream: Duplex, head: Buffer) => void;

/**
 * Calls `handle` for every upgrade request. An upgrade that follows unanswered requests on the same connection waits
 * for their answers, which it must not overtake (RFC 9112 section 9.3.2).
 */
export function onUpgrade(server: Server, handle: UpgradeHandler): void {
  const latest = latestAnswers(server);
  server.on('upgrade', (request, stream, head) => {
    // Node has removed its own listeners. Without this one, a reset would end the process (CVE-2026-126343).
    stream.on('error', destroy);
    const before = latest.get(stream);
    if (before === undefined || before.closed) handle(request, stream, head);
    else before.once('close', () => handle(request, stream, head));
  });
}

/** One function for all streams: a closure would keep the data of each request as long as its connection. */
function destroy(this: Duplex): void {
  this.destroy();
}

/** A server may ignore other upgrades, such as curl's offer of HTTP/2 (RFC 9110 section 7.8). */
function wantsWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
}

export function listenerOf(server: Server): {
  readonly listening: boolean;
  open(port: number, host?: string): Promise<number>;
  closeIdle(): void;
  close(): Promise<void>;
} {
  return {
    get listening() {
      return server.listening;
    },
    open: (port, host) => listen(server, port, host),
    closeIdle: () => server.closeIdleConnections(),
    close: () => closeServer(server),
  };
}

/** Resolves with the port. Raises the system's error, such as EADDRINUSE. */
function listen(server: Server, port: number, host?: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, backlog: BACKLOG }, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** Accepts no more connections. Resolves when all requests are answered, after two seconds at the latest. */
function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
    const end = (): void => {
      clearInterval(idle);
      clearTimeout(late);
      server.closeAllConnections();
      resolve();
    };
    const late = setTimeout(end, ANSWER_MS);
    server.close(end);
  });
}
