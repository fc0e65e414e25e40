import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { Inbox } from '../support/inbox.ts';

export interface ClientFrame {
  readonly type: string;
  readonly ref: string;
  readonly [field: string]: unknown;
}

/** One connection of the client under test, welcomed already. */
export class Session {
  readonly #socket: WebSocket;
  readonly #frames = new Inbox<ClientFrame>();

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => this.#frames.put(JSON.parse(data.toString()) as ClientFrame));
  }

  /** The next frame of the client. */
  take(): Promise<ClientFrame> {
    return this.#frames.take();
  }

  send(frame: object): void {
    this.#socket.send(JSON.stringify(frame));
  }

  /** Answers the join that comes next. */
  async admit(data: object = {}): Promise<ClientFrame> {
    const join = await this.take();
    const joined = { position: '0', count: 0, members: [], ...data };
    this.send({ type: 'system', event: 'joined', room: join['room'], ref: join.ref, data: joined });
    return join;
  }

  refuse({ ref }: ClientFrame, code: string, retryAfterMs?: number): void {
    this.send({ type: 'error', ref, data: { code, error: `${code}!`, retry_after_ms: retryAfterMs } });
  }

  /** When all that was sent so far has been received and answered: the round trip of a ping. */
  async settled(): Promise<void> {
    await new Promise((resolve) => {
      this.#socket.once('pong', resolve);
      this.#socket.ping();
    });
  }

  /** The line breaks, without a close frame. */
  breaks(): void {
    this.#socket.terminate();
  }
}

/** A server that does only what the test says. */
export class ScriptedServer {
  readonly #server: WebSocketServer;
  readonly #sessions = new Inbox<Session>();

  private constructor(server: WebSocketServer) {
    this.#server = server;
    server.on('connection', (socket) => {
      const session = new Session(socket);
      session.send({ type: 'system', event: 'connected', data: { user_id: 'me', heartbeat_seconds: 25 } });
      this.#sessions.put(session);
    });
  }

  static async start(): Promise<ScriptedServer> {
    const server = new WebSocketServer({ port: 0, handleProtocols: ([first = '']) => first });
    await new Promise((resolve) => server.once('listening', resolve));
    return new ScriptedServer(server);
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/ws`;
  }

  /** The next connection of a client. */
  session(): Promise<Session> {
    return this.#sessions.take();
  }

  async stop(): Promise<void> {
    for (const socket of this.#server.clients) socket.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
