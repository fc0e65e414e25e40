import type { Frame, Socket } from '../core/ports/socket.ts';
import type { CloseCode } from '../protocol/close-codes.ts';
import type { Duplex } from 'node:stream';
import { PING_FRAME } from './frame.ts';
import { WebSocket } from 'ws';

/**
 * A WebSocket of the pod. Messages and pings are written to the stream as complete frames; ws reads, answers pings and
 * does the closing handshake. Both write whole frames, so their bytes cannot interleave.
 */
export class WsSocket implements Socket {
  readonly #ws: WebSocket;
  readonly #stream: Duplex;

  constructor(ws: WebSocket, stream: Duplex) {
    this.#ws = ws;
    this.#stream = stream;
  }

  get congested(): boolean {
    return this.#stream.writableNeedDrain;
  }

  write(bytes: Frame): void {
    if (this.#open) this.#stream.write(bytes);
  }

  writeAll(frames: readonly Frame[]): void {
    if (!this.#open) return;
    this.#stream.cork();
    for (const frame of frames) this.#stream.write(frame);
    this.#stream.uncork();
  }

  ping(): void {
    this.write(PING_FRAME);
  }

  close({ code }: CloseCode, reason = ''): void {
    this.#ws.close(code, truncated(reason));
    // A paused socket would never read the client's close frame.
    this.#ws.resume();
  }

  terminate(): void {
    this.#ws.terminate();
  }

  pause(): void {
    this.#ws.pause();
  }

  resume(): void {
    this.#ws.resume();
  }

  get #open(): boolean {
    return this.#ws.readyState === WebSocket.OPEN;
  }
}

/** A close frame has at most 123 bytes of reason (RFC 6455 section 5.5). Does not cut a character in two. */
function truncated(reason: string): string {
  const characters = Array.from(reason.slice(0, 123).toWellFormed());
  while (Buffer.byteLength(characters.join('')) > 123) characters.pop();
  return characters.join('');
}
