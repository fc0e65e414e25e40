import type { CLOSE } from './close-codes.ts';

/**
 * What each close code means. Clients do not load this file, only the codes. `npm run docs` writes the meanings into
 * docs/protocol.md.
 */
export const CLOSE_MEANINGS: Readonly<Record<keyof typeof CLOSE, string>> = {
  normal: 'The client or the server ended the connection normally.',
  goingAway: 'The server is stopping.',
  protocolError: 'The client sent a frame that violates RFC 6455.',
  binaryFrame: 'The client sent a binary frame; only text frames are supported.',
  notUtf8: 'The client sent a text frame that is not UTF-8.',
  policy: 'The client sent ten invalid frames in a row.',
  tooBig: 'The client sent a message longer than MAX_MESSAGE_BYTES.',
  drain: 'Another pod takes over, because this pod is drained or has too many clients.',
  overload: 'The client reads too slowly, or the pod is overloaded.',
  tokenEnded: 'The token expired or was revoked.',
  kicked: 'The application disconnected the client.',
  noHeartbeat: 'The server received nothing for HEARTBEAT_TIMEOUT_SECONDS.',
  rateAbuse: 'The client exceeded the rate limit in each of ten seconds in a row.',
};
