import { CrosspodError } from './errors.ts';

const MAX_CALLS = 100;

interface Call {
  readonly text: string;
  readonly resolve: (data: unknown) => void;
  readonly reject: (error: CrosspodError) => void;
  /** From then on the application may have done what it was asked, and only the answer can tell. */
  wasSent: boolean;
}

/** Calls that wait for their answer. Those that were not sent yet wait for a connection; none is sent twice. */
export class Calls {
  readonly #write: (text: string, ref: string) => boolean;
  readonly #calls = new Map<string, Call>();

  /** `write` sends a frame if the client is connected, and returns whether it did. */
  constructor(write: (text: string, ref: string) => boolean) {
    this.#write = write;
  }

  add(ref: string, method: string, data: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const text = JSON.stringify({ type: 'call', method, data, ref });
      if (this.#calls.size >= MAX_CALLS) {
        reject(new CrosspodError('queue_full', `${MAX_CALLS} calls already wait for their answer`));
        return;
      }
      const call = { text, resolve, reject, wasSent: false };
      this.#calls.set(ref, call);
      call.wasSent = this.#write(text, ref);
    });
  }

  /** The client is connected (again). */
  resume(): void {
    for (const [ref, call] of this.#calls) call.wasSent = this.#write(call.text, ref);
  }

  answered(ref: string, data: unknown): void {
    this.#take(ref)?.resolve(data);
  }

  /** The server rejected the frame `ref`. Returns whether it was one of these calls. */
  rejected(ref: string, error: CrosspodError): boolean {
    const call = this.#take(ref);
    call?.reject(error);
    return call !== undefined;
  }

  /** The connection is lost: no answer comes to what was sent. */
  lost(): void {
    const error = new CrosspodError('outcome_unknown', 'the connection was lost before the answer came');
    for (const [ref, { wasSent }] of this.#calls) if (wasSent) this.rejected(ref, error);
  }

  /** Rejects all calls, because no answer will come any more. */
  close(error: CrosspodError): void {
    for (const ref of this.#calls.keys()) this.rejected(ref, error);
  }

  #take(ref: string): Call | undefined {
    const call = this.#calls.get(ref);
    this.#calls.delete(ref);
    return call;
  }
}
