import { Refused } from './replies.ts';

const NOTHING = Buffer.alloc(0);

/** Takes a client's bytes, in pieces of any size, and gives the commands in them: lists of texts, a byte in each character. */
export class Requests {
  #left: Buffer = NOTHING;

  /** Raises Refused where these are no commands; nothing more can be read from the connection then. */
  *read(bytes: Buffer): Generator<string[]> {
    const all = this.#left.length === 0 ? bytes : Buffer.concat([this.#left, bytes]);
    let at = 0;
    for (;;) {
      const found = commandAt(all, at);
      if (found === undefined) break;
      at = found.end;
      if (found.words.length > 0) yield found.words;
    }
    // The piece may be written over once it was taken.
    this.#left = at === all.length ? NOTHING : Buffer.from(all.subarray(at));
  }
}

interface Found {
  readonly words: string[];
  readonly end: number;
}

const CR = 0x0d;
const STAR = 0x2a;
const DOLLAR = 0x24;
const ZERO = 0x30;

/** Undefined: it is not all there yet. */
function commandAt(bytes: Buffer, start: number): Found | undefined {
  if (start >= bytes.length) return undefined;
  if (bytes[start] !== STAR) return inlineAt(bytes, start);
  const head = numberAt(bytes, start + 1, 'invalid multibulk length');
  if (head === undefined) return undefined;
  const words: string[] = [];
  let at = head.end;
  for (let left = head.value; left > 0; left -= 1) {
    if (at >= bytes.length) return undefined;
    if (bytes[at] !== DOLLAR)
      throw protocolError(`expected '$', got '${String.fromCharCode(bytes[at] ?? 0)}'`);
    const size = numberAt(bytes, at + 1, 'invalid bulk length');
    if (size === undefined) return undefined;
    const end = size.end + size.value;
    if (bytes.length < end + 2) return undefined;
    words.push(bytes.toString('latin1', size.end, end));
    at = end + 2;
  }
  return { words, end: at };
}

/** A command as one types it by hand. */
function inlineAt(bytes: Buffer, start: number): Found | undefined {
  const end = bytes.indexOf('\r\n', start);
  if (end === -1) return undefined;
  return { words: bytes.toString('latin1', start, end).split(' ').filter(Boolean), end: end + 2 };
}

/** A number that a line ends; undefined where that is not there yet. */
function numberAt(bytes: Buffer, start: number, wrong: string): { value: number; end: number } | undefined {
  let value = 0;
  for (let at = start; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === CR && at > start) return at + 1 < bytes.length ? { value, end: at + 2 } : undefined;
    if (byte < ZERO || byte > ZERO + 9) throw protocolError(wrong);
    value = value * 10 + byte - ZERO;
  }
  return undefined;
}

function protocolError(what: string): Refused {
  return new Refused(`ERR Protocol error: ${what}`);
}
