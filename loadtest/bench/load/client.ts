import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { clientFrame } from './client-frame.ts';
import type { Dialect } from './dialect.ts';
import { readFrames } from './frame-reader.ts';
import { messageNumber } from './message.ts';
import { headSize, upgradeRequest } from './upgrade.ts';

export interface ClientOptions {
  readonly port: number;
  readonly path: string;
  readonly dialect: Dialect;
  readonly onJoined: () => void;
  /** Called for each of the benchmark's messages; `at` is when its bytes were read, by `performance.now()`. */
  readonly onMessage: (number: number, at: number) => void;
  readonly onClose: (error: Error | undefined) => void;
}

/** Every socket reads into the same buffer: its bytes are used up before the next socket is read. */
const shared = Buffer.allocUnsafe(256 * 1024);
const OPCODE = { text: 1, ping: 9, pong: 10 } as const;

/** A WebSocket client by hand: a client library would cost more CPU than most of the servers it measures. */
export class Client {
  readonly #options: ClientOptions;
  readonly #socket: Socket;
  #upgraded = false;
  /** The beginning of a frame whose end has not come yet. */
  #rest: Buffer | undefined;
  #bytes: Buffer = shared;
  #readAt = 0;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#socket = connect({
      host: '127.0.0.1',
      port: options.port,
      noDelay: true,
      onread: { buffer: shared, callback: (length) => this.#onRead(length) },
    });
    let failure: Error | undefined;
    this.#socket.on('connect', () => this.#socket.write(upgradeRequest(options.path)));
    this.#socket.on('error', (error) => (failure = error));
    this.#socket.on('close', () => options.onClose(failure));
  }

  /** Sends the texts in one write, each in a frame of its own. */
  send(texts: readonly string[]): void {
    this.#socket.write(Buffer.concat(texts.map((text) => clientFrame(Buffer.from(text), OPCODE.text))));
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
    if (this.#options.dialect.joined === undefined) this.#options.onJoined();
    const frames = bytes.subarray(size);
    this.#consume(frames, frames.length);
  }

  readonly #onFrame = (opcode: number, start: number, end: number): void => {
    if (opcode === OPCODE.text) {
      const number = messageNumber(this.#bytes, start, end);
      if (number >= 0) this.#options.onMessage(number, this.#readAt);
      else this.#onOtherText(this.#bytes.toString('utf8', start, end));
    } else if (opcode === OPCODE.ping) {
      this.#socket.write(clientFrame(Buffer.from(this.#bytes.subarray(start, end)), OPCODE.pong));
    }
  };

  #onOtherText(text: string): void {
    const { answer, joined } = this.#options.dialect;
    const reply = answer?.(text);
    if (reply !== undefined) this.send([reply]);
    if (joined?.(text) === true) this.#options.onJoined();
  }
}
