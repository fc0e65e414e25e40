import { type AddressInfo } from 'node:net';
import { answerParserErrors, answerConversionError, refuseWithoutHost } from './unparsed-requests.ts';
import { latestAnswers } from './latest-answers.ts';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import type { Duplex } from 'node:stream';
import { type IncomingMessage, Server } from 'node:http';

/** A server that closes goes on to wait for connections that were busy then and are idle now. */
const IDLE_CHECK_MS = 20;
const ANSWER_MS = 2_000;
/** Within which the head of a request must be there; whoever sends slower, or nothing, holds a connection for so long. */
const LEAST_HEAD_MS = 60_000;
const MOST_HEAD_MS = 300_000;
/** As many as Linux allows: clients of a dead pod come all at once, and one that finds no room here waits for seconds. */
const BACKLOG = 4_096;

export interface ServerOptions {
  /** How long a connection without a request is kept, in milliseconds. */
  readonly keepAliveMs: number;
  /** Stands for the host of requests that name none, as HTTP/1.0 allows; absent: they are answered with 400. */
  readonly hostWhereNone?: string;
}

/** An HTTP server of Node for Hono routes; it does not listen yet. */
export function createServer(app: Hono, { keepAliveMs, hostWhereNone }: ServerOptions): Server {
  const listener = getRequestListener(app.fetch, {
    ...(hostWhereNone !== undefined && { hostname: hostWhereNone }),
    errorHandler: answerConversionError,
  });
  const options = {
    // Where nobody takes upgrades Node would cut off whoever wants one, without an answer.
    shouldUpgradeCallback: (request: IncomingMessage) =>
      server.listenerCount('upgrade') > 0 && wantsWebSocket(request),
    // Node would refuse what names no host without a word.
    requireHostHeader: false,
    keepAliveTimeout: keepAliveMs,
    // Proxies also keep connections on which they have asked nothing yet; to Node those wait for a head.
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
 * Calls `handle` for every upgrade request. One that was sent behind requests which are not answered yet waits for
 * them: its answer must not overtake theirs (RFC 9112 section 9.3.2).
 */
export function onUpgrade(server: Server, handle: UpgradeHandler): void {
  const latest = latestAnswers(server);
  server.on('upgrade', (request, stream, head) => {
    // Node has taken its own listeners off; a reset must not end the process (CVE-2026-126343).
    stream.on('error', destroy);
    const before = latest.get(stream);
    if (before === undefined || before.closed) handle(request, stream, head);
    else before.once('close', () => handle(request, stream, head));
  });
}

/** One function for all streams: a closure here would keep each request's data for as long as its connection. */
function destroy(this: Duplex): void {
  this.destroy();
}

/** Any other upgrade, as curl offers to HTTP/2, is for a server to ignore (RFC 9110 section 7.8). */
function wantsWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
}

/** Opens and closes a server. */
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

/** Resolves with the port once the server listens; raises what the system says, EADDRINUSE for one. */
function listen(server: Server, port: number, host?: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, backlog: BACKLOG }, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** Takes no more requests; resolves once those that are there are answered, after two seconds at the latest. */
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
