import { connect, type Socket } from 'node:net';
import type { Pod } from '../support/pod.ts';

const DEADLINE_MS = 20_000;

export const OPCODE = {
  continuation: 0x0,
  text: 0x1,
  binary: 0x2,
  close: 0x8,
  ping: 0x9,
  pong: 0xa,
} as const;

export interface FrameOptions {
  readonly fin?: boolean;
  /** Three bits: 4 is RSV1. */
  readonly reserved?: number;
  readonly masked?: boolean;
  /** Four bytes. */
  readonly mask?: Buffer;
  /** How the length is written; the shortest unless told. */
  readonly lengthBits?: 7 | 16 | 64;
  /** What the length says, where that is a lie. */
  readonly announced?: bigint;
}

/** One frame of a client as RFC 6455 section 5.2 draws it, also where section 5 forbids it. */
export function frame(opcode: number, payload: Buffer | string = '', options: FrameOptions = {}): Buffer {
  const { fin = true, reserved = 0, masked = true, mask = Buffer.of(0x37, 0xfa, 0x21, 0x3d) } = options;
  const bytes = Buffer.from(payload);
  const announced = options.announced ?? BigInt(bytes.length);
  const shortest = announced < 126n ? 7 : announced < 65_536n ? 16 : 64;
  const bits = options.lengthBits ?? shortest;
  const head = Buffer.alloc(bits === 7 ? 2 : bits === 16 ? 4 : 10);
  head[0] = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  head[1] = (masked ? 0x80 : 0) | (bits === 7 ? Number(announced) : bits === 16 ? 126 : 127);
  if (bits === 16) head.writeUInt16BE(Number(announced), 2);
  if (bits === 64) head.writeBigUInt64BE(announced, 2);
  if (!masked) return Buffer.concat([head, bytes]);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = (bytes[at] ?? 0) ^ (mask[at & 3] ?? 0);
  return Buffer.concat([head, mask, bytes]);
}

export function text(payload: Buffer | string, options: FrameOptions = {}): Buffer {
  return frame(OPCODE.text, payload, options);
}

/** A text message in fragments: each part in a frame of its own. */
export function fragments(parts: readonly (Buffer | string)[], opcode: number = OPCODE.text): Buffer[] {
  return parts.map((part, index) =>
    frame(index === 0 ? opcode : OPCODE.continuation, part, { fin: index === parts.length - 1 }),
  );
}

/** Cut into pieces of so many bytes. */
export function pieces(bytes: Buffer, size: number): Buffer[] {
  const cut: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) cut.push(bytes.subarray(at, at + size));
  return cut;
}

/** A close frame with a code and a reason (RFC 6455 section 5.5.1). */
export function closing(code: number, reason: Buffer | string = ''): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(code);
  return frame(OPCODE.close, Buffer.concat([bytes, Buffer.from(reason)]));
}

/** The text of a handshake; a header given as `null` is left out, a list makes one line for each. */
export function handshake(
  target: string,
  headers: Readonly<Record<string, string | readonly string[] | null>> = {},
  method = 'GET',
): string {
  const all: Record<string, string | readonly string[] | null> = {
    Host: 'pod',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) =>
    value === null ? [] : [value].flat().map((one) => `${name}: ${one}\r\n`),
  );
  return `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

export interface ServerFrame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** The code of a close frame; 1005 for one that has none (RFC 6455 section 7.1.5). */
export function codeOf({ payload }: ServerFrame): number {
  return payload.length < 2 ? 1005 : payload.readUInt16BE();
}

/** A TCP connection with a WebSocket on it, of which the test writes every byte itself. */
export class Peer {
  readonly socket: Socket;
  /** What the server sent and nobody has taken. */
  readonly #frames: ServerFrame[] = [];
  #rest: Buffer;
  #ended = false;
  #wake: () => void = () => undefined;

  private constructor(socket: Socket, rest: Buffer) {
    this.socket = socket;
    this.#rest = rest;
    socket.on('data', (chunk: Buffer) => {
      this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
      this.#read();
    });
    socket.once('close', () => {
      this.#ended = true;
      this.#wake();
    });
    this.#read();
  }

  /** Fails where the handshake is refused. */
  static async open(pod: Pod, target: string, headers: Record<string, string> = {}): Promise<Peer> {
    const socket = connect(Number(pod.ports.PORT), '127.0.0.1');
    // What is wrong with the connection shows as its end.
    socket.on('error', () => undefined);
    socket.setNoDelay();
    socket.write(handshake(target, headers));
    let head = Buffer.alloc(0);
    const end = await new Promise<number>((resolve, reject) => {
      const refuse = (): void => reject(new Error(`no handshake at ${target}: ${head.toString('latin1')}`));
      const read = (chunk: Buffer): void => {
        head = Buffer.concat([head, chunk]);
        const at = head.indexOf('\r\n\r\n');
        if (at === -1) return;
        socket.off('data', read).off('close', refuse);
        if (head.subarray(0, 12).toString() === 'HTTP/1.1 101') resolve(at + 4);
        else refuse();
      };
      socket.on('data', read).once('close', refuse);
    });
    return new Peer(socket, head.subarray(end));
  }

  send(...bytes: readonly Buffer[]): void {
    this.socket.write(bytes.length === 1 ? (bytes[0] ?? '') : Buffer.concat(bytes));
  }

  /** Writes each chunk by itself, in a turn of the event loop of its own. */
  async sendChopped(chunks: readonly Buffer[]): Promise<void> {
    for (const chunk of chunks) {
      this.socket.write(chunk);
      await new Promise((resolve) => void setImmediate(resolve));
    }
  }

  /** The next frame; undefined once the connection is gone. */
  async next(): Promise<ServerFrame | undefined> {
    const deadline = Date.now() + DEADLINE_MS;
    while (this.#frames.length === 0 && !this.#ended) {
      if (Date.now() > deadline) throw new Error(`nothing came within ${DEADLINE_MS} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, DEADLINE_MS);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.#frames.shift();
  }

  /** Every frame from now until the first for which this is true, that one included, or until the end. */
  async until(isLast: (frame: ServerFrame) => boolean): Promise<ServerFrame[]> {
    const frames: ServerFrame[] = [];
    for (;;) {
      const next = await this.next();
      if (next === undefined) return frames;
      frames.push(next);
      if (isLast(next)) return frames;
    }
  }

  /** The code that the server closes with, passing over everything before; 1006 where the connection ends without. */
  async closeCode(): Promise<number> {
    const frames = await this.until(({ opcode }) => opcode === OPCODE.close);
    const last = frames.at(-1);
    return last?.opcode === OPCODE.close ? codeOf(last) : 1006;
  }

  /** Resolves when the server has ended the connection. */
  async ended(): Promise<void> {
    await this.until(() => false);
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  end(): void {
    this.socket.destroy();
  }

  #read(): void {
    let at = 0;
    for (;;) {
      const found = frameAt(this.#rest, at);
      if (found === undefined) break;
      this.#frames.push({ opcode: found.opcode, payload: found.payload });
      at = found.end;
    }
    if (at === 0) return;
    this.#rest = this.#rest.subarray(at);
    this.#wake();
  }
}

/** A server's frame, undefined while it is not complete; fails where it breaks RFC 6455. */
function frameAt(bytes: Buffer, at: number): (ServerFrame & { end: number }) | undefined {
  if (bytes.length < at + 2) return undefined;
  const [first, second] = [bytes.readUInt8(at), bytes.readUInt8(at + 1)];
  const head = second === 126 ? 4 : second === 127 ? 10 : 2;
  if (bytes.length < at + head) return undefined;
  const length =
    head === 2 ? second : head === 4 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
  const isControl = (first & 0x8) !== 0;
  if (second >= 0x80) throw new Error('the server masked a frame (RFC 6455 section 5.1)');
  if ((first & 0x70) !== 0) throw new Error('the server set a reserved bit (section 5.2)');
  if ((first & 0x80) === 0) throw new Error('the server sent a fragment');
  if (isControl && length > 125) throw new Error('the server sent an oversized control frame (section 5.5)');
  if ((head === 4 && length < 126) || (head === 10 && length < 65_536))
    throw new Error('not the shortest length');
  const end = at + head + length;
  if (bytes.length < end) return undefined;
  return { opcode: first & 0x0f, payload: bytes.subarray(at + head, end), end };
}
