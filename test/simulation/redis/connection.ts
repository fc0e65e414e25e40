import type { Listener } from './channels.ts';
import { encodeReply, type Push, Refused, type Reply } from './replies.ts';
import { Requests } from './requests.ts';

/** One TCP connection, as the server sees it. All answers are given while `receive` runs, by one `send`. */
export interface ModelConnection {
  /** Bytes from the client, in pieces of any size. */
  receive(bytes: Buffer): void;
  /** The client has ended it; `closed` is not called. */
  close(): void;
}

export interface ConnectionOptions {
  /** What the server calls it. */
  readonly id: number;
  readonly send: (bytes: Buffer) => void;
  readonly closed: () => void;
  /** Gives what the command is answered; undefined where that has been pushed. Raises Refused. */
  readonly execute: (connection: Connection, words: readonly string[]) => Reply | undefined;
  /** It is over, whoever ended it. */
  readonly over: (connection: Connection) => void;
}

/** What a server knows of a client: which protocol it speaks, what it listens to. */
export class Connection implements ModelConnection, Listener {
  readonly id: number;
  readonly #options: ConnectionOptions;
  readonly #requests = new Requests();
  #unsent = '';
  #receiving = false;
  #isOver = false;
  protocol: 2 | 3 = 2;
  /** The command after ASKING may ask for a slot that is still being imported. */
  asking = false;
  /** Channels that it has subscribed: those that all servers share, and those that belong to slots. */
  readonly shared = new Set<string>();
  readonly sharded = new Set<string>();

  constructor(options: ConnectionOptions) {
    this.id = options.id;
    this.#options = options;
  }

  receive(bytes: Buffer): void {
    if (this.#receiving) throw new Error('bytes came back to the server while it was sending');
    this.#receiving = true;
    try {
      for (const words of this.#requests.read(bytes)) {
        if (this.#isOver) break;
        this.#answer(words);
      }
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.#write(error);
      this.#flush();
      this.end();
    } finally {
      this.#receiving = false;
    }
    this.#flush();
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.over(this);
  }

  push(message: Push): void {
    this.#write(message);
    if (!this.#receiving) this.#flush();
  }

  /** The server ends it; what was not sent is lost. */
  end(): void {
    if (this.#isOver) return;
    this.close();
    this.#options.closed();
  }

  #answer(words: readonly string[]): void {
    try {
      const reply = this.#options.execute(this, words);
      if (reply !== undefined) this.#write(reply);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.#write(error);
    }
  }

  #write(reply: Reply): void {
    this.#unsent += encodeReply(reply, this.protocol);
  }

  #flush(): void {
    if (this.#unsent === '' || this.#isOver) return;
    const bytes = Buffer.from(this.#unsent, 'latin1');
    this.#unsent = '';
    this.#options.send(bytes);
  }
}
