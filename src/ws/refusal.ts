import type { Duplex } from 'node:stream';
import { STATUS_CODES } from 'node:http';

/** Why an upgrade is answered with plain HTTP instead of a handshake. */
export interface Refusal {
  readonly status: number;
  /** For a person. */
  readonly error: string;
  readonly code: string;
  readonly retryAfterSeconds?: number;
}

/** Answers an upgrade request and ends the connection (RFC 6455 section 4.2.2, RFC 9110 section 7.8). */
export function refuse(stream: Duplex, { status, error, code, retryAfterSeconds }: Refusal): void {
  const body = JSON.stringify({ error, code });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Connection: close',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  if (retryAfterSeconds !== undefined) head.push(`Retry-After: ${retryAfterSeconds}`);
  if (status === 401) head.push('WWW-Authenticate: Bearer');
  stream.once('finish', () => stream.destroy());
  stream.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
