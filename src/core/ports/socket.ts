import type { CloseCode } from '../../protocol/close-codes.ts';

/** Bytes ready for the wire: one or more whole WebSocket frames (RFC 6455 section 5). */
export type Frame = Uint8Array;

/** Makes frames; pure. */
export interface Framer {
  /** One unmasked text frame. */
  frame(text: string): Frame;
  /** Several frames as one run of bytes. */
  join(frames: readonly Frame[]): Frame;
}

/**
 * The transport under a connection. Only its Outbox writes; only the Gateway closes. After `close` or `terminate`
 * nothing may be written. When `congested` turns false again the transport tells the gateway (`drained`).
 */
export interface Socket {
  /** True while the peer has not taken what was written before; writing on would only pile it up in memory. */
  readonly congested: boolean;
  write(bytes: Frame): void;
  /** Hands all to the kernel in one call, in order. */
  writeAll(frames: readonly Frame[]): void;
  /** Asks the peer's WebSocket stack for a sign of life. */
  ping(): void;
  /** Sends a close frame after what was written; the gateway's `closed` follows, at the latest after five seconds. */
  close(code: CloseCode, reason?: string): void;
  /** Ends it without a word. */
  terminate(): void;
  /** Stops and resumes reading, so that the peer feels the backpressure. */
  pause(): void;
  resume(): void;
}
