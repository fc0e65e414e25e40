import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { clientFrame } from './client-frame.ts';
import { readFrames } from './frame-reader.ts';
import { headSize, upgradeRequest } from './upgrade.ts';

export interface RawSocketOptions {
  readonly port: number;
  /** Path and query of the upgrade. */
  readonly path: string;
  readonly onOpen?: () => void;
  /**
   * A text is in `bytes` from `start` to `end`, until this returns; `at` is when it was read, by `performance.now()`.
   */
  readonly onText: (bytes: Buffer, start: number, end: number, at: number) => void;
  readonly onClose: (ending: Ending) => void;
}

/** How a connection ended. */
export interface Ending {
  /** `UpgradeRefused` where it never began. */
  readonly error: Error | undefined;
  /** Of the server's close frame; undefined where none came. */
  readonly code: number | undefined;
  /** When the close frame was read, by `performance.now()`: nothing comes after it. Without one: the end itself. */
  readonly at: number;
}

/** Every socket reads into the same buffer: its bytes are used up before the next socket is read. */
const shared = Buffer.allocUnsafe(256 * 1024);
const OPCODE = { text: 1, close: 8, ping: 9, pong: 10 } as const;

/** A WebSocket client by hand: a client library would cost more CPU than most of the servers it measures. */
export class RawSocket {
  readonly #options: RawSocketOptions;
  readonly #socket: Socket;
  #upgraded = false;
  /** The beginning of a frame whose end has not come yet. */
  #rest: Buffer | undefined;
  #bytes: Buffer = shared;
  #readAt = 0;
  #closing: { readonly code: number | undefined; readonly at: number } | undefined;

  constructor(options: RawSocketOptions) {
    this.#options = options;
    this.#socket = connect({
      host: '127.0.0.1',
      port: options.port,
      noDelay: true,
      onread: { buffer: shared, callback: (length) => this.#onRead(length) },
    });
    let error: Error | undefined;
    this.#socket.on('connect', () => this.#socket.write(upgradeRequest(options.path)));
    this.#socket.on('error', (failure) => (error = failure));
    this.#socket.on('close', () => {
      const { code, at } = this.#closing ?? { code: undefined, at: performance.now() };
      options.onClose({ error, code, at });
    });
  }

  /** Sends the texts in one write, each in a frame of its own. */
  send(texts: readonly string[]): void {
    this.#socket.write(Buffer.concat(texts.map((text) => clientFrame(Buffer.from(text), OPCODE.text))));
  }

  /** Breaks the connection without a close frame. */
  destroy(): void {
    this.#socket.destroy();
  }

  #onRead(length: number): boolean {
    this.#readAt = performance.now();
    try {
      if (this.#rest === undefined) this.#consume(shared, length);
      else this.#consume(Buffer.concat([this.#rest, shared.subarray(0, length)]), this.#rest.length + length);
    } catch (error) {
      this.#socket.destroy(error instanceof Error ? error : new Error(String(error)));
    }
    return true;
  }

  #consume(bytes: Buffer, length: number): void {
    if (!this.#upgraded) return this.#finishUpgrade(bytes.subarray(0, length));
    this.#bytes = bytes;
    const used = readFrames(bytes, length, this.#onFrame);
    this.#rest = used < length ? Buffer.from(bytes.subarray(used, length)) : undefined;
  }

  #finishUpgrade(bytes: Buffer): void {
    const size = headSize(bytes);
    if (size === 0) {
      this.#rest = Buffer.from(bytes);
      return;
    }
    this.#upgraded = true;
    this.#options.onOpen?.();
    const frames = bytes.subarray(size);
    this.#consume(frames, frames.length);
  }

  readonly #onFrame = (opcode: number, start: number, end: number): void => {
    if (opcode === OPCODE.text) this.#options.onText(this.#bytes, start, end, this.#readAt);
    else if (opcode === OPCODE.ping) this.#answer(OPCODE.pong, start, end);
    else if (opcode === OPCODE.close) {
      const code = end - start < 2 ? undefined : this.#bytes.readUInt16BE(start);
      this.#closing = { code, at: this.#readAt };
      // The server waits for this answer and closes the connection below then.
      this.#answer(OPCODE.close, start, end);
    }
  };

  #answer(opcode: number, start: number, end: number): void {
    this.#socket.write(clientFrame(Buffer.from(this.#bytes.subarray(start, end)), opcode));
  }
}
