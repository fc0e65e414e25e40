import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { Pod } from '../support/pod.ts';

const PAUSE_MS = 5;
const DEADLINE_MS = 20_000;

interface Heard {
  readonly type?: string;
  readonly room?: string;
  readonly channel?: string;
  readonly event?: string;
  readonly ref?: string;
  readonly data?: { readonly n?: number };
  readonly payload?: { readonly n?: number };
}

/**
 * Well-behaved clients in a pod that is under attack: one speaks in a room, and a listener of each dialect notes
 * whether every message of the room comes once and in order.
 */
export class Witnesses {
  /** How many connections they have. */
  static readonly connections = 3;
  readonly #room = `witness-${process.hrtime.bigint()}`;
  readonly #faults: string[] = [];
  readonly #heard = { message: 0, channel: 0 };
  readonly #sockets: WebSocket[] = [];
  #said = 0;
  #acked = 0;
  #stopping = false;
  #speaking: Promise<void> = Promise.resolve();

  static async start(pod: Pod, query = ''): Promise<Witnesses> {
    const witnesses = new Witnesses();
    await witnesses.#start(pod.wsUrl, query);
    return witnesses;
  }

  /** Messages that both listeners have heard. */
  get heard(): number {
    return Math.min(this.#heard.message, this.#heard.channel);
  }

  /** What went wrong so far. */
  get faults(): readonly string[] {
    return this.#faults;
  }

  /** Ends the talk; resolves once the last message was heard, with what went wrong. */
  async stop(): Promise<readonly string[]> {
    this.#stopping = true;
    await this.#speaking;
    const deadline = Date.now() + DEADLINE_MS;
    while (this.heard < this.#said && this.#faults.length === 0) {
      if (Date.now() > deadline) this.#faults.push(`heard ${this.heard} of ${this.#said} messages`);
      await pause(PAUSE_MS);
    }
    return this.#faults;
  }

  close(): void {
    for (const socket of this.#sockets) socket.terminate();
  }

  async #start(url: string, query: string): Promise<void> {
    const speaker = await this.#open(`${url}/ws?dialect=message${query}`, (text) => this.#readAck(text));
    const joined = signal();
    await this.#open(`${url}/ws/${this.#room}?dialect=message${query}`, (text) => {
      if (text.includes('"joined"')) joined.resolve();
      this.#listen('message', text);
    });
    const subscribed = signal();
    const channel = await this.#open(`${url}/ws?dialect=channel${query}`, (text) => {
      if (text.includes('"subscribed"')) subscribed.resolve();
      this.#listen('channel', text);
    });
    channel.send(JSON.stringify({ type: 'subscribe', channel: this.#room, ref: 's' }));
    await Promise.all([joined.promise, subscribed.promise]);
    this.#speaking = this.#speak(speaker);
  }

  async #open(url: string, hear: (text: string) => void): Promise<WebSocket> {
    const socket = new WebSocket(url, { perMessageDeflate: false });
    this.#sockets.push(socket);
    socket.on('message', (data: Buffer) => hear(data.toString()));
    const opened = once(socket, 'open');
    socket.on('error', (error) => this.#faults.push(`a witness lost its connection: ${error.message}`));
    socket.on('close', (code) => {
      if (!this.#stopping) this.#faults.push(`a witness was closed with ${code}`);
    });
    await opened;
    return socket;
  }

  /** One message after the other, each when the one before is acked. */
  async #speak(speaker: WebSocket): Promise<void> {
    while (!this.#stopping && this.#faults.length === 0) {
      this.#said += 1;
      const ref = `w${this.#said}`;
      speaker.send(JSON.stringify({ type: 'chat', room: this.#room, data: { n: this.#said }, ref }));
      const deadline = Date.now() + DEADLINE_MS;
      while (this.#acked < this.#said && this.#faults.length === 0) {
        if (Date.now() > deadline)
          this.#faults.push(`no ack of message ${this.#said} within ${DEADLINE_MS} ms`);
        await pause(1);
      }
      await pause(PAUSE_MS);
    }
  }

  #readAck(text: string): void {
    if (!text.startsWith('{"type":"ack"')) return;
    const { ref = '' } = JSON.parse(text) as Heard;
    if (ref === `w${this.#acked + 1}`) this.#acked += 1;
    else this.#faults.push(`the ack of ${ref} came after that of w${this.#acked}`);
  }

  #listen(who: 'message' | 'channel', text: string): void {
    // Others speak globally, and much.
    if (!text.includes(this.#room)) return;
    const { type, data, payload } = JSON.parse(text) as Heard;
    if (type !== 'chat' && type !== 'broadcast') return;
    const n = (type === 'chat' ? data : payload)?.n;
    if (n === this.#heard[who] + 1) this.#heard[who] = n;
    else this.#faults.push(`the ${who} witness heard ${String(n)} after ${this.#heard[who]}`);
  }
}

function signal(): PromiseWithResolvers<void> {
  return Promise.withResolvers<void>();
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
