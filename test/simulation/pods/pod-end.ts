import type { Frame, Framer, Socket } from '../../../src/core/ports/socket.ts';
import type { CloseCode } from '../../../src/protocol/close-codes.ts';
import type { Connection } from '../../../src/core/delivery/connection.ts';
import type { Gateway } from '../../../src/core/commands/gateway.ts';
import type { Kernel, Strand } from '../kernel/kernel.ts';
import { NO_CLOSE_FRAME } from '../../../src/ws/admission.ts';

/** How long a client may take to answer a close frame (src/ws/upgrade.ts). */
const CLOSE_TIMEOUT_MS = 5_000;

/** What a pod sends to a client: an answer to its handshake, whole frames, one a line, or the end. */
export type ToClient =
  | { readonly kind: 'open' | 'ping' | 'lost' }
  | { readonly kind: 'refused'; readonly status: number; readonly retryAfterMs: number }
  | { readonly kind: 'frames'; readonly text: string }
  | { readonly kind: 'close'; readonly code: number; readonly reason: string };

/** Frames are their own text; that is what nobody but the two ends looks at. */
export const textFramer: Framer = {
  frame: (text) => text as unknown as Frame,
  frames: (texts) => texts.join('\n') as unknown as Frame,
  join: (frames) => (frames as unknown as string[]).join('\n') as unknown as Frame,
  slice: (frames, from, to) =>
    (frames as unknown as string).split('\n').slice(from, to).join('\n') as unknown as Frame,
};

export interface PodEndOptions {
  readonly kernel: Kernel;
  readonly strand: Strand;
  readonly gateway: Gateway;
  /** Bytes after which the system takes no more. */
  readonly buffer: number;
  readonly send: (item: ToClient) => void;
  /** It is over on this side. */
  readonly over: () => void;
}

/** A pod's end of the line to a client: what WsSocket and ws are in a process. */
export class PodEnd implements Socket {
  readonly #options: PodEndOptions;
  connection: Connection | undefined;
  #state: 'open' | 'closing' | 'closed' = 'open';
  /** Bytes that the client has not taken. */
  #untaken = 0;
  #paused = false;
  #held: string[] = [];
  congested = false;

  constructor(options: PodEndOptions) {
    this.#options = options;
  }

  write(bytes: Frame): void {
    if (this.#state !== 'open') return;
    const text = bytes as unknown as string;
    this.#untaken += text.length;
    if (this.#untaken > this.#options.buffer) this.congested = true;
    this.#options.send({ kind: 'frames', text });
  }

  writeAll(frames: readonly Frame[]): void {
    this.write(textFramer.join(frames));
  }

  ping(): void {
    if (this.#state === 'open') this.#options.send({ kind: 'ping' });
  }

  close({ code }: CloseCode, reason = ''): void {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    this.#options.send({ kind: 'close', code, reason });
    this.#options.kernel.after(CLOSE_TIMEOUT_MS, this.#options.strand, () => this.terminate());
    this.resume();
  }

  terminate(): void {
    if (this.#state === 'closed') return;
    this.#options.send({ kind: 'lost' });
    this.#end(NO_CLOSE_FRAME);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    for (const frame of this.#held.splice(0)) this.heard(frame);
  }

  /** A text frame of the client came. */
  heard(frame: string): void {
    if (this.#state === 'closed' || this.connection === undefined) return;
    if (this.#paused) this.#held.push(frame);
    else this.#options.gateway.receive(this.connection, frame);
  }

  ponged(): void {
    if (this.#state !== 'closed' && this.connection !== undefined)
      this.#options.gateway.heard(this.connection);
  }

  /** The client has closed it, or answered a close. */
  closed(code: number): void {
    if (this.#state === 'open') this.#options.send({ kind: 'close', code, reason: '' });
    this.#end(code);
  }

  /** The line is gone, and the system has noticed. */
  lost(): void {
    this.#end(NO_CLOSE_FRAME);
  }

  /** The client has taken so much of what was written. */
  taken(bytes: number): void {
    this.#untaken -= bytes;
    if (!this.congested || this.#untaken > 0) return;
    this.congested = false;
    if (this.#state !== 'closed' && this.connection !== undefined)
      this.#options.gateway.drained(this.connection);
  }

  #end(code: number): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    const { connection } = this;
    const { kernel, strand, gateway, over } = this.#options;
    over();
    // As an event of its own: whoever terminates is in the middle of something.
    if (connection !== undefined) kernel.after(0, strand, () => gateway.closed(connection, code));
  }
}
