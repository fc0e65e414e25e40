/**
 * Calls `onFrame` with opcode, start and end of the payload for every complete server frame in the first `length`
 * bytes, and returns where the first incomplete one begins. It allocates nothing: the generator reads tens of
 * thousands of frames per second and must stay cheaper than what it measures.
 */
export function readFrames(
  bytes: Buffer,
  length: number,
  onFrame: (opcode: number, start: number, end: number) => void,
): number {
  let at = 0;
  while (at + 2 <= length) {
    const first = bytes.readUInt8(at);
    const short = bytes.readUInt8(at + 1);
    // Unfragmented, unmasked, no extension: anything else is not a frame the contenders are expected to send.
    if ((first & 0xf0) !== 0x80 || short > 127) throw new Error(`unexpected frame header ${first} ${short}`);
    const start = at + headerSize(short);
    if (start > length) break;
    const end = start + payloadSize(bytes, at, short);
    if (end > length) break;
    onFrame(first & 0x0f, start, end);
    at = end;
  }
  return at;
}

function headerSize(short: number): number {
  if (short < 126) return 2;
  return short === 126 ? 4 : 10;
}

function payloadSize(bytes: Buffer, at: number, short: number): number {
  if (short < 126) return short;
  return short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
}
