import type { Duplex } from 'node:stream';
import { STATUS_CODES } from 'node:http';

/** An error as every route tells it, for what never reached one. */
export interface RawError {
  readonly status: number;
  /** For a person. */
  readonly error: string;
  /** For a program. */
  readonly code: string;
}

/** Answers a request below Node's HTTP server and ends the connection (RFC 9112 section 9.6). */
export function answerRaw(
  stream: Duplex,
  { status, error, code }: RawError,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = JSON.stringify({ error, code });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Connection: close',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...Object.entries(headers).map((header) => header.join(': ')),
  ];
  stream.once('finish', () => stream.destroy());
  stream.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
