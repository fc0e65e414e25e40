import { bad } from './target.ts';
import type { IncomingMessage } from 'node:http';
import type { Refusal } from '../core/refusal.ts';

/** Neither blanks nor what ends a host in an address. */
const HOST = /^[^\s/?#@\\]+$/;

/**
 * Why an upgrade is no handshake of RFC 6455 (sections 4.1, 4.4); `ws` judges the key. Older versions put the origin
 * into a header of another name, past the list of those that may connect.
 */
export function refuseHandshake({
  httpVersion,
  headers,
  headersDistinct,
}: IncomingMessage): Refusal | undefined {
  if (httpVersion !== '1.1') return bad('a WebSocket handshake is made in HTTP/1.1', 'bad_handshake');
  const [host = '', ...others] = headersDistinct['host'] ?? [];
  if (!HOST.test(host) || others.length > 0) {
    return bad('a WebSocket handshake names one Host', 'bad_handshake');
  }
  if (headers['sec-websocket-version'] === '13') return undefined;
  return { status: 426, error: 'the version of WebSocket here is 13', code: 'upgrade_required' };
}
