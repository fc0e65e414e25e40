import type { Dialect } from './dialect.ts';
import { messageNumber } from './message.ts';
import { RawSocket } from './raw-socket.ts';

export interface ClientOptions {
  readonly port: number;
  readonly path: string;
  readonly room: string;
  readonly dialect: Dialect;
  readonly onJoined: () => void;
  /** Called for each of the benchmark's messages; `at` is when its bytes were read, by `performance.now()`. */
  readonly onMessage: (number: number, at: number) => void;
  readonly onClose: (error: Error | undefined) => void;
}

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
        if (dialect.joined === undefined) options.onJoined();
      },
      onText: (bytes, start, end, at) => {
        const number = messageNumber(bytes, start, end);
        if (number >= 0) options.onMessage(number, at);
        else this.#onOtherText(bytes.toString('utf8', start, end));
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
    if (joined?.(text) === true) this.#options.onJoined();
  }
}
