import { bad } from './target.ts';
import type { IncomingMessage } from 'node:http';
import type { UpgradeRefusal } from '../core/base/upgrade-refusal.ts';

/** 16 bytes in base64. */
const KEY = /^[+/0-9A-Za-z]{22}==$/;
/** No blanks, and no characters that would end the host in an address. */
const HOST = /^[^\s/?#@\\]+$/;

/**
 * Why a request is not a handshake of RFC 6455 (sections 4.1, 4.4). Older versions send the origin in another header,
 * which would bypass ALLOWED_ORIGINS.
 */
export function refuseHandshake(request: IncomingMessage): UpgradeRefusal | undefined {
  const { httpVersion, method, headers } = request;
  if (httpVersion !== '1.1') return bad('a WebSocket handshake must use HTTP/1.1', 'bad_handshake');
  if (method !== 'GET') return bad('a WebSocket handshake must use GET', 'bad_handshake');
  if (!HOST.test(headers.host ?? '') || !hasOneHost(request)) {
    return bad('a WebSocket handshake must have exactly one Host header', 'bad_handshake');
  }
  if (headers['sec-websocket-version'] !== '13') {
    return { status: 426, error: 'Sec-WebSocket-Version must be 13', code: 'upgrade_required' };
  }
  if (KEY.test(headers['sec-websocket-key'] ?? '')) return undefined;
  return bad('Sec-WebSocket-Key must be 16 bytes in base64', 'bad_handshake');
}

/** Node keeps the first of several Host headers in `headers`. `headersDistinct` would copy all headers for this. */
function hasOneHost({ rawHeaders }: IncomingMessage): boolean {
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  return hosts === 1;
}
