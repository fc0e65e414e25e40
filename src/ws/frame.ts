import type { Frame, Framer } from '../core/ports/socket.ts';
import * as ws from 'ws';

interface FrameOptions {
  readonly fin: boolean;
  readonly opcode: number;
  readonly mask: boolean;
  readonly readOnly: boolean;
  readonly rsv1: boolean;
}

/** ws exports Sender, but its types lack it. */
const { Sender } = ws as unknown as { Sender: { frame(data: Buffer, options: FrameOptions): Buffer[] } };

const TEXT: FrameOptions = { fin: true, opcode: 0x1, mask: false, readOnly: true, rsv1: false };
const PING: FrameOptions = { ...TEXT, opcode: 0x9 };

/** Encodes frames with ws (RFC 6455 section 5.2), once for many sockets. */
export const framer: Framer = {
  frame: (text) => Buffer.concat(Sender.frame(Buffer.from(text), TEXT)),
  join: (frames) => Buffer.concat(frames),
};

export const PING_FRAME: Frame = Buffer.concat(Sender.frame(Buffer.alloc(0), PING));
