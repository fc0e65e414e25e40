import type { Socket } from 'node:net';
import { dial } from './http-exchange.ts';
import { EVENT_ROUTE } from './request-cases.ts';
import { handshake, text } from './wire.ts';
import type { Pod } from '../support/pod.ts';

const DRIP_MS = 500;

const POST = `POST ${EVENT_ROUTE} HTTP/1.1\r\nHost: pod\r\nContent-Type: application/json\r\n`;

/** Clients that never come to the end of what they say. */
export class SlowClients {
  /** Those that say nothing more, or a byte now and then, before their headers end. */
  readonly #inHeaders: Socket[] = [];
  readonly #others: Socket[] = [];
  readonly #timer: NodeJS.Timeout;
  /** How many of them got as far as a WebSocket. */
  readonly upgraded: number;

  constructor(pod: Pod, ofEach: number) {
    const dripping: Socket[] = [];
    const begin = (list: Socket[], bytes: Buffer | string, drips: boolean): void => {
      const socket = dial(pod).resume();
      socket.write(bytes);
      list.push(socket);
      if (drips) dripping.push(socket);
    };
    const halfFrame = text('x'.repeat(60_000), { fin: false }).subarray(0, 20);
    for (let n = 0; n < ofEach; n += 1) {
      begin(this.#inHeaders, '', false);
      begin(this.#inHeaders, 'GET /ws HT', false);
      begin(this.#inHeaders, 'GET /ws HTTP/1.1\r\nHost: pod\r\nX-Slow: ', true);
      begin(this.#others, `${POST}Content-Length: 60000\r\n\r\n{"channel":"`, true);
      begin(this.#others, `${POST}Transfer-Encoding: chunked\r\n\r\nffff\r\n"`, true);
      begin(this.#others, Buffer.concat([Buffer.from(handshake('/ws')), halfFrame]), true);
    }
    this.upgraded = ofEach;
    this.#timer = setInterval(() => {
      for (const socket of dripping) if (socket.writable) socket.write('x');
    }, DRIP_MS);
  }

  /** Those that have not ended their headers and are still connected. */
  get lingering(): number {
    return this.#inHeaders.filter((socket) => !socket.destroyed).length;
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const socket of [...this.#inHeaders, ...this.#others]) socket.destroy();
  }
}
