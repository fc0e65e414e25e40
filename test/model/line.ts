import type { Frame } from '../support/client.ts';
import type { PodProcess } from '../support/stack/pods.ts';
import { WebSocket } from 'ws';

/** A pod that does not answer by then is tried again later, as a client would. */
const HANDSHAKE_MS = 2_000;

/** Whoever uses a connection. */
export interface LineUser {
  opened(line: Line): void;
  received(line: Line, frame: Frame): void;
  /** It is gone, or never came to be. */
  gone(line: Line): void;
}

let lines = 0;

/** One connection to one pod. */
export class Line {
  readonly number = (lines += 1);
  readonly pod: string;
  /** Of commands that are not answered yet, what they were. */
  readonly unanswered = new Map<string, string>();
  readonly #ws: WebSocket;

  constructor(pod: PodProcess, pathAndQuery: string, user: LineUser) {
    this.pod = pod.name;
    this.#ws = new WebSocket(`${pod.wsUrl}${pathAndQuery}`, {
      handshakeTimeout: HANDSHAKE_MS,
      perMessageDeflate: false,
    });
    this.#ws.on('open', () => user.opened(this));
    this.#ws.on('message', (data: Buffer) => user.received(this, JSON.parse(data.toString()) as Frame));
    // What is wrong shows in its end.
    this.#ws.on('error', () => undefined);
    this.#ws.on('close', () => user.gone(this));
  }

  get isOpen(): boolean {
    return this.#ws.readyState === WebSocket.OPEN;
  }

  send(frame: Frame): void {
    this.#ws.send(JSON.stringify(frame));
  }

  /** Ends it in order; the other side may take its time. */
  close(): void {
    this.#ws.close(1000);
  }

  /** Ends it without a word. */
  terminate(): void {
    this.#ws.terminate();
  }
}
