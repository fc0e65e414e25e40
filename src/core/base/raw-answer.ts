/** An error in the form that every route uses, for a request that reaches no route. */
export interface RawError {
  readonly status: number;
  /** For people. */
  readonly error: string;
  /** For programs. */
  readonly code: string;
}

/** A stream of Node. */
interface Stream {
  once(event: 'finish', then: () => void): unknown;
  end(text: string): unknown;
  destroy(): unknown;
}

/**
 * Answers a request on the bare stream and closes the connection (RFC 9112 section 9.6). `phrases` are the reason
 * phrases by status.
 */
export function answerRaw(
  stream: Stream,
  { status, error, code }: RawError,
  phrases: Readonly<Record<number, string | undefined>>,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = JSON.stringify({ error, code });
  const head = [
    `HTTP/1.1 ${status} ${phrases[status] ?? ''}`,
    'Connection: close',
    'Content-Type: application/json',
    `Content-Length: ${new TextEncoder().encode(body).length}`,
    ...Object.entries(headers).map((header) => header.join(': ')),
  ];
  stream.once('finish', () => stream.destroy());
  stream.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
