import type { IncomingMessage } from 'node:http';

/** The parts of a request that admission needs. */
export interface RequestHead extends Pick<IncomingMessage, 'url' | 'headers'> {
  readonly socket?: { readonly remoteAddress?: string | undefined };
}

const SUBPROTOCOL = 'bearer.';

/** The token of an upgrade: from the first of these places that has one (docs/protocol.md, "Connecting"). */
export function tokenOf(request: RequestHead, query: URLSearchParams): string | undefined {
  const [, header] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
  return (
    header ||
    query.get('token') ||
    query.get('access_token') ||
    offeredProtocols(request)
      .find((name) => name.startsWith(SUBPROTOCOL))
      ?.slice(SUBPROTOCOL.length) ||
    undefined
  );
}

/** If a token is the only subprotocol that a client offers, the server has none to select. */
export function offersTokenAlone(request: RequestHead): boolean {
  const offered = offeredProtocols(request);
  return offered.length > 0 && offered.every((name) => name.startsWith(SUBPROTOCOL));
}

function offeredProtocols(request: RequestHead): string[] {
  return (request.headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}
