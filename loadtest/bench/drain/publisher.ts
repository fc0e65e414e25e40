import { setTimeout as sleep } from 'node:timers/promises';
import { roomOfMessage } from '../load/layout.ts';
import { messageData } from '../load/message.ts';
import { RawSocket } from '../load/raw-socket.ts';

const CONNECTIONS = 10;
const INTERVAL_MS = 10;

export interface PublisherOptions {
  readonly port: number;
  readonly rooms: number;
  /** The name of the room of this number. */
  readonly nameOf: (room: number) => string;
  readonly onFault: (error: Error) => void;
}

/** Publishes at a steady rate: one message in each room each second, in turn, and in one room by one connection. */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #sockets: RawSocket[] = [];
  #isPublishing = true;
  /** So many messages so far; their numbers begin with 0. */
  published = 0;

  private constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** Connects and begins. */
  static async start(options: PublisherOptions): Promise<Publisher> {
    const publisher = new Publisher(options);
    for (let index = 0; index < CONNECTIONS; index++) await publisher.#connect(index);
    publisher.#publish().catch(options.onFault);
    return publisher;
  }

  stop(): void {
    this.#isPublishing = false;
  }

  #connect(index: number): Promise<void> {
    const { port, onFault } = this.#options;
    return new Promise((resolve) => {
      const path = `/ws?dialect=message&user_id=publisher${index}`;
      this.#sockets.push(
        new RawSocket({
          port,
          path,
          onOpen: resolve,
          onText: (bytes, start, end) => {
            const text = bytes.toString('utf8', start, end);
            if (text.includes('"type":"error"')) onFault(new Error(`publishing: ${text}`));
          },
          onClose: ({ error, code }) => onFault(new Error(`${path}: closed with ${code}`, { cause: error })),
        }),
      );
    });
  }

  async #publish(): Promise<void> {
    const { rooms, nameOf } = this.#options;
    const begin = performance.now();
    while (this.#isPublishing) {
      const due = ((performance.now() - begin) * rooms) / 1000;
      for (; this.published < due; this.published++) {
        const room = roomOfMessage(this.published, { rooms, ports: 1 });
        const text = `{"type":"chat","room":"${nameOf(room)}","data":${messageData(this.published)}}`;
        this.#sockets[room % CONNECTIONS]?.send([text]);
      }
      await sleep(INTERVAL_MS);
    }
  }
}
