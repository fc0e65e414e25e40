import type { Arrival, Gateway } from '../core/gateway.ts';
import { type Refusal, refuse } from './refusal.ts';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import { CLOSE, type CloseCode } from '../protocol/close-codes.ts';
import type { Duplex } from 'node:stream';
import type { IncomingMessage } from 'node:http';
import type { Pod } from '../core/pod.ts';
import { SUBPROTOCOLS } from '../protocol/dialects.ts';
import { WsSocket } from './socket.ts';
import { count } from '../core/tally.ts';
import { readTarget, type Target } from './target.ts';

/** How long a client may take to answer a close frame. */
const CLOSE_TIMEOUT_MS = 5_000;
const RETRY_AFTER_SECONDS = 5;

export interface UpgradeOptions {
  readonly pod: Pod;
  readonly gateway: Gateway;
  /** Where WebSockets are served (WS_PATHS). */
  readonly paths: readonly string[];
  readonly maxMessageBytes: number;
}

/** Turns upgrade requests into connections, or answers them as the HTTP requests they still are. */
export class Upgrades {
  readonly #options: UpgradeOptions;
  readonly #server: WebSocketServer;
  #draining = false;

  constructor(options: UpgradeOptions) {
    this.#options = options;
    const settings: ServerOptions & { closeTimeout: number } = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: options.maxMessageBytes,
      closeTimeout: CLOSE_TIMEOUT_MS,
      handleProtocols: (offered) => [...SUBPROTOCOLS.keys()].find((name) => offered.has(name)) ?? false,
    };
    this.#server = new WebSocketServer(settings);
    this.#server.on('wsClientError', (error, stream) => {
      this.#refuse(stream, { status: 400, error: error.message, code: 'bad_handshake' });
    });
  }

  /** From now on every upgrade is refused. */
  drain(): void {
    this.#draining = true;
  }

  /** Takes the `upgrade` event of the HTTP server. */
  readonly handle = (request: IncomingMessage, stream: Duplex, head: Buffer): void => {
    // A client that resets in the middle of an upgrade must not end the process (CVE-2026-126343).
    stream.on('error', destroy);
    const target = this.#admit(request);
    if ('status' in target) {
      this.#refuse(stream, target);
      return;
    }
    const id = this.#options.pod.ids.connection();
    this.#server.handleUpgrade(request, stream, head, (ws) => {
      const { address, userId = id } = target;
      const dialect = SUBPROTOCOLS.get(ws.protocol) ?? target.dialect;
      this.#connect(ws, stream, { id, principal: { userId }, address, dialect });
    });
  };

  #admit(request: IncomingMessage): Target | Refusal {
    const { hub, limits } = this.#options.pod;
    const target = readTarget(request.url ?? '', this.#options.paths);
    if ('status' in target) return target;
    if (request.headers.upgrade?.toLowerCase() !== 'websocket') {
      return { status: 426, error: 'upgrade to websocket', code: 'upgrade_required' };
    }
    if (this.#draining) {
      return { status: 503, error: 'draining', code: 'draining', retryAfterSeconds: RETRY_AFTER_SECONDS };
    }
    if (hub.connectionCount >= limits.maxConnections) {
      return {
        status: 503,
        error: 'server at capacity',
        code: 'server_at_capacity',
        retryAfterSeconds: RETRY_AFTER_SECONDS,
      };
    }
    return target;
  }

  #refuse(stream: Duplex, refusal: Refusal): void {
    count(this.#options.pod.tally.refused, refusal.code);
    refuse(stream, refusal);
  }

  #connect(ws: WebSocket, stream: Duplex, arrival: Omit<Arrival, 'socket'>): void {
    const { gateway } = this.#options;
    const connection = gateway.open({ ...arrival, socket: new WsSocket(ws, stream) });
    ws.on('message', (data: Buffer, isBinary) => {
      if (isBinary) connection.close(CLOSE.binaryFrame);
      else gateway.receive(connection, data.toString());
    });
    ws.on('pong', () => gateway.heard(connection));
    ws.on('error', (error) => connection.close(closeCodeOf(error)));
    ws.on('close', (code) => gateway.closed(connection, code));
    stream.on('drain', () => gateway.drained(connection));
  }
}

/** One function for all streams: a closure here would keep each request's data for as long as its connection. */
function destroy(this: Duplex): void {
  this.destroy();
}

/** ws has sent the close frame itself; this is for the books. */
function closeCodeOf(error: Error & { code?: string }): CloseCode {
  if (error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') return CLOSE.tooBig;
  if (error.code === 'WS_ERR_INVALID_UTF8') return CLOSE.notUtf8;
  return CLOSE.protocolError;
}
