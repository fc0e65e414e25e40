/** Any mask would do (it protects proxies, RFC 6455 section 10.3); a fixed one costs nothing to choose. */
const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

/** The bytes of one masked frame of less than 64 KiB, as a client sends it (RFC 6455 section 5.2). */
export function clientFrame(payload: Buffer, opcode: number): Buffer {
  const { length } = payload;
  const size = length < 126 ? [0x80 | length] : [0x80 | 126, length >> 8, length & 0xff];
  const masked = payload.map((byte, index) => byte ^ (MASK[index % 4] ?? 0));
  return Buffer.concat([Buffer.from([0x80 | opcode, ...size]), MASK, masked]);
}
