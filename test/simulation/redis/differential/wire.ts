/** A reply as it came: its kind, the first byte of it, and what it holds. Texts have one byte in each character. */
export interface Parsed {
  readonly kind: string;
  readonly value: string | null | readonly Parsed[];
}

/** The bytes of a command; words are texts, or already bytes. */
export function commandBytes(words: readonly string[]): Buffer {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return Buffer.from(`*${words.length}\r\n${parts.join('')}`);
}

/** Takes the bytes of replies, in RESP2 or RESP3, and gives those that are there. */
export class ReplyReader {
  #text = '';
  #at = 0;

  add(bytes: Buffer): void {
    this.#text = this.#text.slice(this.#at) + bytes.toString('latin1');
    this.#at = 0;
  }

  /** The next reply; undefined until all of it is there. */
  next(): Parsed | undefined {
    const start = this.#at;
    const parsed = this.#read();
    if (parsed === undefined) this.#at = start;
    return parsed;
  }

  #read(): Parsed | undefined {
    const end = this.#text.indexOf('\r\n', this.#at);
    if (end === -1) return undefined;
    const kind = this.#text.charAt(this.#at);
    const line = this.#text.slice(this.#at + 1, end);
    this.#at = end + 2;
    if (kind === '$' || kind === '=') return this.#readText(kind, Number(line));
    if ('*>~%'.includes(kind)) return this.#readList(kind, Number(line) * (kind === '%' ? 2 : 1));
    return { kind, value: line };
  }

  #readText(kind: string, length: number): Parsed | undefined {
    if (length < 0) return { kind, value: null };
    const value = this.#text.slice(this.#at, this.#at + length);
    this.#at += length + 2;
    return this.#at > this.#text.length ? undefined : { kind, value };
  }

  #readList(kind: string, length: number): Parsed | undefined {
    if (length < 0) return { kind, value: null };
    const items: Parsed[] = [];
    while (items.length < length) {
      const item = this.#read();
      if (item === undefined) return undefined;
      items.push(item);
    }
    return { kind, value: items };
  }
}

/** A reply as people read it. */
export function shown({ kind, value }: Parsed): string {
  if (value === null) return `${kind}(null)`;
  if (typeof value === 'string') return `${kind}${JSON.stringify(value)}`;
  return `${kind}[${value.map(shown).join(', ')}]`;
}

/** The bytes that a reply came as, one in each character. */
export function bytesOf({ kind, value }: Parsed): string {
  if (value === null) return kind === '_' ? '_\r\n' : `${kind}-1\r\n`;
  if (kind === '$' || kind === '=') return `${kind}${value.length}\r\n${value as string}\r\n`;
  if (typeof value === 'string') return `${kind}${value}\r\n`;
  return `${kind}${kind === '%' ? value.length / 2 : value.length}\r\n${value.map(bytesOf).join('')}`;
}
