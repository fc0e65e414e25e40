import { WebSocket } from 'ws';

/** A client that counts what it gets; it parses nothing, so that thousands of frames cost little. */
export class Counter {
  readonly #ws: WebSocket;
  readonly #waiting: { readonly isReached: () => boolean; readonly resolve: () => void }[] = [];
  /** Frames received so far, and the last of them. */
  frames = 0;
  last = '';
  chats = 0;
  isJoined = false;

  private constructor(ws: WebSocket) {
    this.#ws = ws;
    ws.on('message', (data: Buffer) => {
      this.last = data.toString();
      this.frames += 1;
      if (this.last.includes('"type":"chat"')) this.chats += 1;
      else if (this.last.includes('"event":"joined"')) this.isJoined = true;
      for (const [index, { isReached, resolve }] of [...this.#waiting.entries()].toReversed()) {
        if (!isReached()) continue;
        this.#waiting.splice(index, 1);
        resolve();
      }
    });
  }

  /** Connects; resolves once the client is a member of the room in the address. */
  static async connect(url: string): Promise<Counter> {
    const ws = new WebSocket(url);
    const counter = new Counter(ws);
    const failed = new Promise<never>((_, reject) => ws.once('error', reject));
    await Promise.race([failed, counter.until(() => counter.isJoined)]);
    return counter;
  }

  send(text: string): void {
    this.#ws.send(text);
  }

  /** Resolves when a frame makes the condition true, or at once. */
  until(isReached: () => boolean): Promise<void> {
    if (isReached()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ isReached, resolve }));
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#ws.once('close', () => resolve());
      this.#ws.close(1000);
    });
  }

  terminate(): void {
    this.#ws.terminate();
  }
}
