/** A frame of the message dialect, as far as it is looked at here. */
export interface ServerFrame {
  readonly type: string;
  readonly event?: string;
  readonly id?: string;
  readonly ref?: string;
  readonly provisional?: boolean;
  readonly data?: {
    readonly position?: string;
    readonly recovered?: boolean;
    readonly replayed?: number;
    readonly reconnect_after_ms?: number;
  };
}

const WAIT_MS = 30_000;

/** One client that looks at every frame: for figures of single messages, not for load. */
export class Member {
  readonly #socket: WebSocket;
  readonly #listeners = new Set<(frame: ServerFrame) => void>();

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const frame = JSON.parse(String(data)) as ServerFrame;
      for (const listener of this.#listeners) listener(frame);
    });
  }

  /** Joins a room of the pod at this port; resolves with the `joined` frame. */
  static async join(
    port: number,
    room: string,
    query: Readonly<Record<string, string>>,
    listener?: (frame: ServerFrame) => void,
  ): Promise<{ member: Member; joined: ServerFrame }> {
    const address = `ws://127.0.0.1:${port}/ws/${room}?${new URLSearchParams(query).toString()}`;
    const member = new Member(new WebSocket(address));
    if (listener !== undefined) member.listen(listener);
    const joined = await member.next((frame) => frame.event === 'joined');
    return { member, joined };
  }

  listen(listener: (frame: ServerFrame) => void): void {
    this.#listeners.add(listener);
  }

  send(frame: object): void {
    this.#socket.send(JSON.stringify(frame));
  }

  /** Sends it and resolves with its answer. */
  async ask(frame: object): Promise<ServerFrame> {
    const ref = crypto.randomUUID();
    const answer = this.next((one) => one.ref === ref);
    this.send({ ...frame, ref });
    const answered = await answer;
    if (answered.type === 'error') throw new Error(`refused: ${JSON.stringify(answered)}`);
    return answered;
  }

  /** Resolves with the next frame of which this is true; rejects where there is none in time. */
  next(isIt: (frame: ServerFrame) => boolean): Promise<ServerFrame> {
    return new Promise((resolve, reject) => {
      const timeout = setTimeout(() => settle(() => reject(new Error('a frame did not come'))), WAIT_MS);
      const settle = (end: () => void): void => {
        clearTimeout(timeout);
        this.#listeners.delete(look);
        this.#socket.removeEventListener('close', onClose);
        end();
      };
      const onClose = (): void => settle(() => reject(new Error('closed by the server')));
      const look = (frame: ServerFrame): void => {
        if (isIt(frame)) settle(() => resolve(frame));
      };
      this.listen(look);
      this.#socket.addEventListener('close', onClose);
    });
  }

  close(): void {
    this.#socket.close(1000);
  }
}
