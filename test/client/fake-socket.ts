import type { Socket, SocketConstructor } from '../../src/client/platform.ts';

type Listener = (event: never) => void;

/** A socket whose other end is the test. */
export class FakeSocket implements Socket {
  readonly url: string;
  readonly protocols: readonly string[];
  readonly sent: unknown[] = [];
  /** What the client closed it with; undefined while it has not. */
  closedWith: number | 'no code' | undefined;
  #ended = false;
  readonly #listeners = new Map<string, Listener>();

  constructor(url: string, protocols: readonly string[]) {
    this.url = url;
    this.protocols = protocols;
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, listener);
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(code?: number): void {
    this.closedWith = code ?? 'no code';
  }

  /** Whether one end or the other has given it up. */
  get isOver(): boolean {
    return this.#ended || this.closedWith !== undefined;
  }

  /** The server sends a frame. */
  says(frame: object): void {
    this.#listeners.get('message')?.({ data: JSON.stringify(frame) } as never);
  }

  /** The server welcomes the client. */
  welcomes(heartbeatSeconds = 25): void {
    this.says({
      type: 'system',
      event: 'connected',
      data: { connection_id: 'c1', user_id: 'ann', heartbeat_seconds: heartbeatSeconds },
    });
  }

  /** The connection ends; 1006 as when the line breaks. */
  ends(code = 1006, reason = ''): void {
    this.#ended = true;
    this.#listeners.get('close')?.({ code, reason } as never);
  }
}

/** Makes fake sockets and keeps them, the newest last. */
export function fakeSockets(): { readonly made: FakeSocket[]; readonly WebSocket: SocketConstructor } {
  const made: FakeSocket[] = [];
  return {
    made,
    WebSocket: class extends FakeSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols);
        made.push(this);
      }
    },
  };
}
