import { bad } from './target.ts';
import type { IncomingMessage } from 'node:http';
import type { UpgradeRefusal } from '../core/base/upgrade-refusal.ts';

/** 16 bytes in base64. */
const KEY = /^[+/0-9A-Za-z]{22}==$/;
/** Neither blanks nor what ends a host in an address. */
const HOST = /^[^\s/?#@\\]+$/;

/**
 * Why an upgrade is no handshake of RFC 6455 (sections 4.1, 4.4), before anybody is asked about it. Older versions put
 * the origin into a header of another name, past the list of those that may connect.
 */
export function refuseHandshake(request: IncomingMessage): UpgradeRefusal | undefined {
  const { httpVersion, method, headers, headersDistinct } = request;
  if (httpVersion !== '1.1') return bad('a WebSocket handshake is made in HTTP/1.1', 'bad_handshake');
  if (method !== 'GET') return bad('a WebSocket handshake is a GET', 'bad_handshake');
  const [host = '', ...others] = headersDistinct['host'] ?? [];
  if (!HOST.test(host) || others.length > 0) {
    return bad('a WebSocket handshake names one Host', 'bad_handshake');
  }
  if (headers['sec-websocket-version'] !== '13') {
    return { status: 426, error: 'the version of WebSocket here is 13', code: 'upgrade_required' };
  }
  if (KEY.test(headers['sec-websocket-key'] ?? '')) return undefined;
  return bad('Sec-WebSocket-Key must be 16 bytes in base64', 'bad_handshake');
}
