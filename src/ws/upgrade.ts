import type { NewClient, Gateway } from '../core/commands/gateway.ts';
import type { Admission } from './admission.ts';
import { refuse } from './refusal.ts';
import { refuseHandshake } from './handshake.ts';
import { UPGRADE_REFUSALS, type UpgradeRefusal } from '../core/base/upgrade-refusal.ts';
import { isErrorCode } from '../protocol/error-codes.ts';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import { CLOSE, type CloseCode } from '../protocol/close-codes.ts';
import type { Duplex } from 'node:stream';
import type { IncomingMessage } from 'node:http';
import type { Pod } from '../core/commands/pod.ts';
import { SUBPROTOCOLS } from '../protocol/dialects.ts';
import { WsSocket } from './socket.ts';
import { count } from '../core/base/tally.ts';

/** How long a client may take to answer a close frame. */
const CLOSE_TIMEOUT_MS = 5_000;

export interface UpgradeOptions {
  readonly pod: Pod;
  readonly gateway: Gateway;
  readonly admission: Admission;
  readonly maxMessageBytes: number;
}

/** Turns upgrade requests into connections, or refuses them with an HTTP answer. */
export class Upgrades {
  readonly #options: UpgradeOptions;
  readonly #server: WebSocketServer;

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

  /** Handles an upgrade request of the HTTP server. Its stream must already have a listener for errors. */
  readonly handle = (request: IncomingMessage, stream: Duplex, head: Buffer): void => {
    this.#upgrade(request, stream, head).catch((error: unknown) => {
      this.#options.pod.log.error({ err: error }, 'an upgrade failed');
      stream.destroy();
    });
  };

  async #upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): Promise<void> {
    const wrong = refuseHandshake(request);
    if (wrong !== undefined) return this.#refuse(stream, wrong);
    const id = this.#options.pod.ids.connection();
    const admitted = await this.#options.admission.admit(request, id);
    if ('status' in admitted) {
      this.#refuse(stream, admitted);
      return;
    }
    const { target, ...rest } = admitted;
    let opened = false;
    // The answer to the handshake leaves in one write with what the client gets in this turn.
    stream.cork();
    this.#server.handleUpgrade(request, stream, head, (ws) => {
      opened = true;
      const dialect = SUBPROTOCOLS.get(ws.protocol) ?? target.dialect;
      this.#connect(ws, stream, { id, ...rest, address: target.address, dialect });
    });
    this.#options.pod.turn.addOutbox({ flush: () => stream.uncork() });
    // ws calls back before it returns, or never if the handshake is invalid or the client has disconnected.
    if (!opened) this.#options.admission.dismiss(id, admitted);
  }

  #refuse(stream: Duplex, refusal: UpgradeRefusal): void {
    count(this.#options.pod.tally.refused, isKnown(refusal.code) ? refusal.code : 'other');
    refuse(stream, refusal);
  }

  #connect(ws: WebSocket, stream: Duplex, client: Omit<NewClient, 'socket'>): void {
    const { gateway } = this.#options;
    const connection = gateway.open({ ...client, socket: new WsSocket(ws, stream) });
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

/** The codes of hooks and of the backend have no end, so they share one count. */
function isKnown(code: string): boolean {
  return (UPGRADE_REFUSALS as readonly string[]).includes(code) || isErrorCode(code);
}

/** ws has already sent the close frame; this code is for the metrics. */
function closeCodeOf(error: Error & { code?: string }): CloseCode {
  if (error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') return CLOSE.tooBig;
  if (error.code === 'WS_ERR_INVALID_UTF8') return CLOSE.notUtf8;
  return CLOSE.protocolError;
}
