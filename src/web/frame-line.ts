import type { Target } from './address.ts';
import type { Bench } from './bench.ts';
import { closeWords } from './close-words.ts';
import { addressWithoutToken } from './secrets.ts';

/** A bare WebSocket: what is sent and comes are frames, and when it ends it has ended. */
export class FrameLine {
  readonly #socket: WebSocket;
  readonly #bench: Bench;

  /** Throws where the address or a subprotocol is none. */
  constructor({ url, protocols }: Target, bench: Bench) {
    this.#bench = bench;
    const socket = new WebSocket(url, [...protocols]);
    this.#socket = socket;
    bench.log('line', `connecting to ${addressWithoutToken(url)}`);
    socket.addEventListener('open', () => {
      bench.log('line', socket.protocol === '' ? 'open, no subprotocol' : `open, ${socket.protocol}`);
      bench.show('connected', 'connected');
    });
    socket.addEventListener('message', ({ data }) => bench.log('received', String(data)));
    socket.addEventListener('close', ({ code, reason }) => {
      bench.log('line', closeWords(code, reason));
      bench.show('idle', `closed with ${code}`);
    });
  }

  send(frame: string): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#socket.send(frame);
    this.#bench.log('sent', frame);
  }

  close(): void {
    this.#socket.close(1000);
  }
}
