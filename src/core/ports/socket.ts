import type { CloseCode } from '../../protocol/close-codes.ts';

/** Bytes ready for the wire: one or more whole WebSocket frames (RFC 6455 section 5). */
export type Frame = Uint8Array;

/** Makes frames; pure. */
export interface Framer {
  /** One unmasked text frame. */
  frame(text: string): Frame;
  /** Several texts as frames in one run of bytes. */
  frames(texts: readonly string[]): Frame;
  /** Several frames as one run of bytes. */
  join(frames: readonly Frame[]): Frame;
  /** A copy of the frames from index `from` to before `to` of several. */
  slice(frames: Frame, from: number, to: number): Frame;
}

/**
 * The transport of a connection. Only its outbox writes. Nothing may be written after `close` or `terminate`. When
 * `congested` becomes false again, the transport calls `Gateway.drained`.
 */
export interface Socket {
  /** True while the client has not read what was written; writing more would only fill memory. */
  readonly congested: boolean;
  write(bytes: Frame): void;
  /** Writes all frames in order, in one call to the kernel. */
  writeAll(frames: readonly Frame[]): void;
  /** Sends a ping frame. */
  ping(): void;
  /** Sends a close frame behind what was written. `Gateway.closed` follows within five seconds. */
  close(code: CloseCode, reason?: string): void;
  /** Ends the connection without a close frame. */
  terminate(): void;
  /** Stops reading, so that the client feels backpressure. */
  pause(): void;
  resume(): void;
}
