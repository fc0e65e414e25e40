import type { CLOSE } from './close-codes.ts';

/**
 * What each close code means, for people; apart from the codes, which every client carries. docs/protocol.md prints
 * both as one table and a test compares them.
 */
export const CLOSE_MEANINGS: Readonly<Record<keyof typeof CLOSE, string>> = {
  normal: 'The client or the server is done.',
  goingAway: 'The server stops at once.',
  protocolError: 'A frame breaks RFC 6455.',
  binaryFrame: 'A binary frame; only text is spoken.',
  notUtf8: 'A text frame is not UTF-8.',
  policy: 'Ten bad frames in a row.',
  tooBig: 'A message over MAX_MESSAGE_BYTES.',
  drain: 'Another pod takes over: this one is drained, or has too many clients.',
  overload: 'The client reads too slowly, or the pod is overloaded.',
  tokenEnded: 'The token expired or was revoked.',
  kicked: 'Disconnected by the application.',
  noHeartbeat: 'Nothing was heard within HEARTBEAT_TIMEOUT_SECONDS.',
  rateAbuse: 'The rate limit was exceeded for ten seconds in a row.',
};
