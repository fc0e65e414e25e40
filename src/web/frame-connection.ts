import type { Target } from './address.ts';
import type { ConnectionDisplay } from './connection-display.ts';
import { closeWords } from './close-words.ts';
import { addressWithoutToken } from './secrets.ts';

/** A plain WebSocket, which shows each frame and does not reconnect. */
export class FrameConnection {
  readonly #socket: WebSocket;
  readonly #display: ConnectionDisplay;

  /** Throws if the address or a subprotocol is invalid. */
  constructor({ url, protocols }: Target, display: ConnectionDisplay) {
    this.#display = display;
    const socket = new WebSocket(url, [...protocols]);
    this.#socket = socket;
    display.log('connection', `connecting to ${addressWithoutToken(url)}`);
    socket.addEventListener('open', () => {
      display.log('connection', socket.protocol === '' ? 'open, no subprotocol' : `open, ${socket.protocol}`);
      display.show('connected', 'connected');
    });
    socket.addEventListener('message', ({ data }) => display.log('received', String(data)));
    socket.addEventListener('close', ({ code, reason }) => {
      display.log('connection', closeWords(code, reason));
      display.show('idle', `closed with ${code}`);
    });
  }

  send(frame: string): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#socket.send(frame);
    this.#display.log('sent', frame);
  }

  close(): void {
    this.#socket.close(1000);
  }
}
