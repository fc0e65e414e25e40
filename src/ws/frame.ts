import type { Frame, Framer } from '../core/ports/socket.ts';

/** The first byte of a frame: its last fragment (0x80), and the opcode (RFC 6455 section 5.2). */
const TEXT = 0x81;
const PING = 0x89;
/** Payloads below the first bound have their length in the second byte, below the second bound in two more bytes. */
const [SHORT, MEDIUM] = [126, 65_536];
const [LENGTH_IN_2_BYTES, LENGTH_IN_8_BYTES] = [126, 127];

/**
 * Encodes unmasked frames, as a server sends them (RFC 6455 section 5.2), into one buffer and without intermediate
 * ones: every message of a room passes here, and every message of a replay.
 */
export const framer: Framer = {
  frame(text) {
    const length = Buffer.byteLength(text);
    const bytes = Buffer.allocUnsafe(headLength(length) + length);
    write(bytes, 0, text, length);
    return bytes;
  },
  frames(texts) {
    const lengths = texts.map((text) => Buffer.byteLength(text));
    const bytes = Buffer.allocUnsafe(lengths.reduce((sum, length) => sum + headLength(length) + length, 0));
    let at = 0;
    for (const [index, text] of texts.entries()) at = write(bytes, at, text, lengths[index] ?? 0);
    return bytes;
  },
  join: (frames) => Buffer.concat(frames),
  slice(frames, from, to) {
    let start = 0;
    for (let index = 0; index < from; index += 1) start += lengthOf(frames, start);
    let end = start;
    for (let index = from; index < to; index += 1) end += lengthOf(frames, end);
    return Buffer.from(frames.subarray(start, end));
  },
};

export const PING_FRAME: Frame = Buffer.from([PING, 0]);

function headLength(length: number): number {
  if (length < SHORT) return 2;
  return length < MEDIUM ? 4 : 10;
}

/** The length of the frame that begins at index `at`. */
function lengthOf(frames: Frame, at: number): number {
  const short = frames[at + 1] ?? 0;
  if (short < SHORT) return headLength(short) + short;
  const view = new DataView(frames.buffer, frames.byteOffset + at + 2);
  const length = short === LENGTH_IN_2_BYTES ? view.getUint16(0) : Number(view.getBigUint64(0));
  return headLength(length) + length;
}

/** Writes a text frame at index `at` and returns the index behind it; `length` is that of the text in UTF-8. */
function write(bytes: Buffer, at: number, text: string, length: number): number {
  bytes[at] = TEXT;
  if (length < SHORT) bytes[at + 1] = length;
  else if (length < MEDIUM) {
    bytes[at + 1] = LENGTH_IN_2_BYTES;
    bytes.writeUInt16BE(length, at + 2);
  } else {
    bytes[at + 1] = LENGTH_IN_8_BYTES;
    bytes.writeBigUInt64BE(BigInt(length), at + 2);
  }
  const start = at + headLength(length);
  return start + bytes.write(text, start, 'utf8');
}
