import type { Dialect } from './dialect.ts';
import { findMessage, readNumber } from './message.ts';
import { RawSocket } from './raw-socket.ts';

export interface ClientOptions {
  readonly port: number;
  readonly path: string;
  readonly room: string;
  readonly dialect: Dialect;
  /** Called with the answer to the join; with an empty text where the handshake alone joins. */
  readonly onJoined: (text: string) => void;
  /** Called for each of the benchmark's messages; `at` is when its bytes were read, by `performance.now()`. */
  readonly onMessage: (number: number, at: number) => void;
  readonly onClose: (error: Error | undefined) => void;
}

const NEWLINE = 10;

/** A member of a contender's crowd: speaks its dialect and finds the benchmark's messages. */
export class Client {
  readonly #options: ClientOptions;
  readonly #socket: RawSocket;

  constructor(options: ClientOptions) {
    this.#options = options;
    const { port, path, room, dialect } = options;
    this.#socket = new RawSocket({
      port,
      path,
      onOpen: () => {
        if (dialect.join !== undefined) this.#send([dialect.join(room)]);
        if (dialect.joined === undefined) options.onJoined('');
      },
      onText: (bytes, start, end, at) => {
        const digits = findMessage(bytes, start, end);
        if (digits >= 0) options.onMessage(readNumber(bytes, digits), at);
        // Only a dialect that bundles has more in the same frame: looking for it costs time.
        if (digits >= 0 && dialect.bundles !== true) return;
        for (let next = digits; next >= 0;) {
          next = findMessage(bytes, next, end);
          if (next >= 0) options.onMessage(readNumber(bytes, next), at);
        }
        if (digits < 0 || bytes.subarray(start, end).includes(NEWLINE))
          this.#onOtherText(bytes.toString('utf8', start, end));
      },
      onClose: ({ error }) => options.onClose(error),
    });
  }

  /** Publishes each of these JSON texts, all in one write. */
  publish(data: readonly string[]): void {
    const { dialect, room } = this.#options;
    this.#send(data.map((one) => dialect.publish(one, room)));
  }

  /** Sends the texts in one write, each in a frame of its own. */
  #send(texts: readonly string[]): void {
    this.#socket.send(texts);
  }

  #onOtherText(text: string): void {
    const { answer, joined } = this.#options.dialect;
    const reply = answer?.(text);
    if (reply !== undefined) this.#send([reply]);
    if (joined?.(text) === true) this.#options.onJoined(text);
  }
}
