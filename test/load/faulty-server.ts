import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

export type Fault = 'none' | 'loses' | 'repeats' | 'disorders' | 'comes late';

interface Command {
  readonly type: string;
  readonly room: string;
  readonly ref: string;
  readonly data?: { readonly by: number; readonly n: number };
}

/** The message of each publisher to which the fault happens, on its way to one member. */
const FAULTY = { by: 0, n: 2 };

/** A pod as far as the load scripts know one, that makes one mistake. */
export class FaultyServer {
  readonly #fault: Fault;
  /** So often it is still away, and a proxy says so for it. */
  #away: number;
  readonly #http = createServer(({ url }, answer) => {
    if (this.#away > 0 && url?.includes('explain=1') === true) {
      this.#away -= 1;
      answer.writeHead(404).end('404 page not found\n');
      return;
    }
    answer.writeHead(200, { 'Content-Type': 'application/json' });
    answer.end(JSON.stringify({ pod: 'faulty', status: 'ok' }));
  });
  readonly #sockets = new WebSocketServer({
    server: this.#http,
    verifyClient: (_: unknown, decide: (isLetIn: boolean, status: number) => void) =>
      decide(this.#away === 0, 404),
  });
  readonly #rooms = new Map<string, Set<WebSocket>>();
  #ids = 0;
  #hasErred = false;
  /** What comes after the next message. */
  #held: { readonly to: WebSocket; readonly text: string } | undefined;

  constructor(fault: Fault) {
    this.#fault = fault;
    this.#away = fault === 'comes late' ? 4 : 0;
    this.#sockets.on('connection', (socket) => {
      send(socket, { type: 'system', event: 'connected', data: {} });
      socket.on('message', (text: Buffer) => this.#perform(socket, JSON.parse(text.toString()) as Command));
      socket.on('close', () => {
        for (const members of this.#rooms.values()) members.delete(socket);
      });
    });
  }

  /** Listens and gives the address for `BASE_URL`. */
  async start(): Promise<string> {
    this.#http.listen(0, '127.0.0.1');
    await once(this.#http, 'listening');
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  stop(): void {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#http.close();
    this.#http.closeAllConnections();
  }

  #perform(socket: WebSocket, { type, room, ref, data }: Command): void {
    const members = this.#rooms.get(room) ?? new Set();
    this.#rooms.set(room, members);
    if (type === 'join') {
      members.add(socket);
      send(socket, { type: 'system', event: 'joined', room, ref, data: { position: '0', members: [] } });
      return;
    }
    this.#ids += 1;
    const id = String(this.#ids);
    send(socket, { type: 'ack', ref, room, id });
    const text = JSON.stringify({ type: 'chat', room, id, data });
    for (const member of members) this.#deliver(member, text, data);
  }

  #deliver(member: WebSocket, text: string, data: Command['data']): void {
    const isFaulty = !this.#hasErred && data?.by === FAULTY.by && data.n === FAULTY.n;
    if (!isFaulty || this.#fault === 'none') {
      member.send(text);
      this.#deliverHeld(member, data);
      return;
    }
    this.#hasErred = true;
    if (this.#fault === 'disorders') this.#held = { to: member, text };
    if (this.#fault === 'repeats') {
      member.send(text);
      member.send(text);
    }
  }

  #deliverHeld(member: WebSocket, data: Command['data']): void {
    if (this.#held?.to !== member || data?.by !== FAULTY.by) return;
    member.send(this.#held.text);
    this.#held = undefined;
  }
}

function send(socket: WebSocket, frame: object): void {
  socket.send(JSON.stringify(frame));
}
