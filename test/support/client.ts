import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import type { Pod } from './pod.ts';

const DEADLINE_MS = 10_000;

/** A frame as it was received, parsed. */
export interface Frame {
  readonly [field: string]: unknown;
}

/** Fields that a frame must have; objects are looked into, everything else must be equal. */
export type Pattern = Frame | ((frame: Frame) => boolean);

export interface OpenOptions {
  readonly protocols?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether the pings of the server are answered; true unless told. */
  readonly autoPong?: boolean;
}

export interface Closed {
  readonly code: number;
  readonly reason: string;
}

/** A refused upgrade: what the server answered instead of a handshake. */
export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Frame;
}

/** One WebSocket that keeps all it was sent. It lives until the test ends, at the latest. */
export class Client {
  readonly ws: WebSocket;
  /** Everything received so far, in order. */
  readonly frames: Frame[] = [];
  /** The same as it came. */
  readonly texts: string[] = [];
  /** The close frame's code, or what ws makes of a connection without one (1005, 1006). */
  readonly closed: Promise<Closed>;
  readonly #taken = new Set<Frame>();
  readonly #waiting = new Set<() => void>();

  constructor(ws: WebSocket) {
    this.ws = ws;
    ws.on('message', (data: Buffer) => {
      const text = data.toString();
      this.texts.push(text);
      this.frames.push(JSON.parse(text) as Frame);
      this.#changed();
    });
    // What is wrong with the connection shows in `closed`.
    ws.on('error', () => undefined);
    this.closed = new Promise((resolve) =>
      ws.once('close', (code, reason) => resolve({ code, reason: reason.toString() })),
    );
    ws.once('close', () => this.#changed());
  }

  /** An object goes out as JSON, a string as it is. */
  send(frame: Frame | string): void {
    this.ws.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  /** The first matching frame that no earlier call has given; waits for it, and fails with what came instead. */
  async next(pattern: Pattern): Promise<Frame> {
    const deadline = Date.now() + DEADLINE_MS;
    for (;;) {
      const frame = this.frames.find((one) => !this.#taken.has(one) && matches(one, pattern));
      if (frame !== undefined) {
        this.#taken.add(frame);
        return frame;
      }
      const closed = this.ws.readyState === WebSocket.CLOSED;
      if (closed || Date.now() >= deadline) throw new Error(this.#missing(pattern, closed));
      await this.#change(deadline - Date.now());
    }
  }

  /** Every matching frame so far. */
  all(pattern: Pattern): Frame[] {
    return this.frames.filter((frame) => matches(frame, pattern));
  }

  /** Closes with the code and waits until the connection is gone. */
  async close(code?: number): Promise<Closed> {
    this.ws.close(code);
    return this.closed;
  }

  /** Cuts the connection without a close frame. */
  async terminate(): Promise<void> {
    this.ws.terminate();
    await this.closed;
  }

  #missing(pattern: Pattern, closed: boolean): string {
    const what = typeof pattern === 'function' ? pattern.toString() : JSON.stringify(pattern);
    const seen = this.texts.slice(-50).map((text) => `\n  ${text.slice(0, 500)}`);
    const end = closed ? ' before the connection was closed' : ` within ${DEADLINE_MS} ms`;
    return `no frame that matches ${what}${end}; ${this.frames.length} frames came, the last ones:${seen.join('')}`;
  }

  /** Resolves when anything happens, or after the time. */
  #change(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const goOn = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(goOn);
        resolve();
      };
      const timer = setTimeout(goOn, ms);
      this.#waiting.add(goOn);
    });
  }

  #changed(): void {
    for (const goOn of this.#waiting) goOn();
  }
}

/** Whether the value has all that the pattern has. */
function matches(value: unknown, pattern: unknown): boolean {
  if (typeof pattern === 'function') return Boolean(pattern(value));
  if (Array.isArray(pattern)) {
    return (
      Array.isArray(value) &&
      value.length === pattern.length &&
      pattern.every((item, index) => matches(value[index], item))
    );
  }
  if (!isFrame(pattern)) return Object.is(value, pattern);
  return isFrame(value) && Object.entries(pattern).every(([name, part]) => matches(value[name], part));
}

function isFrame(value: unknown): value is Frame {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object in a field of a frame; fails where there is none. */
export function part(frame: Frame, name: string): Frame {
  const value = frame[name];
  if (!isFrame(value)) throw new Error(`no object in ${name}: ${JSON.stringify(frame)}`);
  return value;
}

/**
 * Connects to a pod, or to what stands before it, `pathAndQuery` as in `/ws/room?user_id=alice`; fails with the status
 * where it is refused.
 */
export async function open(
  pod: Pick<Pod, 'wsUrl'>,
  pathAndQuery: string,
  options: OpenOptions = {},
): Promise<Client> {
  const { protocols = [], headers = {}, autoPong = true } = options;
  const ws = new WebSocket(`${pod.wsUrl}${pathAndQuery}`, [...protocols], {
    headers,
    autoPong,
    perMessageDeflate: false,
  });
  const client = new Client(ws);
  onTestFinished(() => ws.terminate());
  await new Promise<void>((resolve, reject) => {
    ws.once('open', resolve);
    ws.once('error', reject);
  });
  return client;
}

/** Asks for an upgrade that is refused: the answer. Fails where it is granted. */
export function refused(
  pod: Pod,
  pathAndQuery: string,
  headers: Record<string, string> = {},
): Promise<Refusal> {
  return new Promise((resolve, reject) => {
    // Not as a URL: what stands here reaches the server letter for letter.
    const { hostname, port } = new URL(pod.url);
    const upgrade = {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': Buffer.alloc(16).toString('base64'),
    };
    const asked = request({ hostname, port, path: pathAndQuery, headers: { ...upgrade, ...headers } });
    asked.on('error', reject);
    asked.on('upgrade', (_, socket) => {
      socket.destroy();
      reject(new Error(`${pathAndQuery} was not refused`));
    });
    asked.on('response', (answer) => {
      let text = '';
      answer.on('data', (chunk) => (text += String(chunk)));
      answer.on('end', () => {
        const body = readJson(text);
        if (body === undefined) {
          reject(new Error(`${pathAndQuery}: ${answer.statusCode}, but no JSON: ${text}`));
        } else resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body });
      });
    });
    asked.end();
  });
}

function readJson(text: string): Frame | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isFrame(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A WebSocket whose bytes the test writes itself, for what no proper client would send. */
export class RawClient {
  readonly socket: Socket;
  /** What came after the handshake. */
  received = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.socket = socket;
  }

  /** The handshake is done when this resolves. */
  static async open(pod: Pod, pathAndQuery: string): Promise<RawClient> {
    const { hostname, port } = new URL(pod.url);
    const socket = connect(Number(port), hostname);
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    const client = new RawClient(socket);
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => (client.received = Buffer.concat([client.received, chunk])));
    const key = Buffer.alloc(16).toString('base64');
    socket.write(
      `GET ${pathAndQuery} HTTP/1.1\r\nHost: pod\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
    );
    await until('the handshake', () => client.received.includes('\r\n\r\n'));
    const head = client.received.indexOf('\r\n\r\n');
    const [status = ''] = client.received.toString('latin1').split('\r\n');
    if (!status.startsWith('HTTP/1.1 101')) throw new Error(`no handshake: ${status}`);
    client.received = client.received.subarray(head + 4);
    return client;
  }

  /** One frame of RFC 6455 section 5.2; `first` is its first byte: FIN, RSV and opcode. Payload up to 65,535 bytes. */
  frame(first: number, payload: Buffer | string, { masked = true } = {}): void {
    const bytes = Buffer.from(payload);
    const maskBit = masked ? 0x80 : 0;
    const head =
      bytes.length < 126
        ? Buffer.from([first, maskBit | bytes.length])
        : Buffer.from([first, maskBit | 126, bytes.length >> 8, bytes.length & 0xff]);
    // A mask of zeros leaves the payload as it is.
    const mask = masked ? Buffer.alloc(4) : Buffer.alloc(0);
    this.socket.write(Buffer.concat([head, mask, bytes]));
  }

  /** The code of the close frame; waits for it. */
  async closeCode(): Promise<number> {
    let code: number | undefined;
    await until('a close frame', () => (code = closeCodeIn(this.received)) !== undefined);
    return code ?? 0;
  }
}

/** Goes through the unmasked frames of a server. */
function closeCodeIn(bytes: Buffer): number | undefined {
  let at = 0;
  while (at + 2 <= bytes.length) {
    const short = bytes.readUInt8(at + 1) & 0x7f;
    if (short === 127 || (short === 126 && at + 4 > bytes.length)) return undefined;
    const head = short === 126 ? 4 : 2;
    const length = short === 126 ? bytes.readUInt16BE(at + 2) : short;
    const isClose = (bytes.readUInt8(at) & 0x0f) === 0x8;
    if (isClose && at + head + 2 <= bytes.length) return bytes.readUInt16BE(at + head);
    at += head + length;
  }
  return undefined;
}

/** Asks again and again until the answer is true; fails after the deadline. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`waited ${DEADLINE_MS} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
