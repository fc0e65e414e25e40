import type { IncomingMessage } from 'node:http';

/** What of a request says who comes and where to. */
export interface RequestHead extends Pick<IncomingMessage, 'url' | 'headers'> {
  readonly socket?: { readonly remoteAddress?: string | undefined };
}

const SUBPROTOCOL = 'bearer.';

/** Where a browser can put a token, in the order in which one is taken (docs/protocol.md, "Connecting"). */
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

/** A token was offered as the only subprotocol: none would be left that the server could select. */
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
