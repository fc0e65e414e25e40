import { type Refusal, refusalHeaders } from '../core/refusal.ts';
import type { Duplex } from 'node:stream';
import { STATUS_CODES } from 'node:http';

/** Answers an upgrade request and ends the connection (RFC 6455 section 4.2.2, RFC 9110 section 7.8). */
export function refuse(stream: Duplex, refusal: Refusal): void {
  const { status, error, code } = refusal;
  const body = JSON.stringify({ error, code });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Connection: close',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...Object.entries(refusalHeaders(refusal)).map((header) => header.join(': ')),
  ];
  stream.once('finish', () => stream.destroy());
  stream.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
