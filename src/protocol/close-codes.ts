/** What a client should do after a close: come back with a backoff, come back with a new token, or stay away. */
export type Reconnect = 'backoff' | 'new-token' | 'never';

export interface CloseCode {
  readonly code: number;
  readonly meaning: string;
  readonly reconnect: Reconnect;
}

/**
 * Every code a WebSocket of Crosspod is closed with. 1000–1013 are those of RFC 6455 section 7.4.1 and its
 * registry, 4000–4999 are private (section 7.4.2). docs/protocol.md prints this table and a test compares them.
 */
export const CLOSE = {
  normal: { code: 1000, meaning: 'The client or the server is done.', reconnect: 'never' },
  goingAway: { code: 1001, meaning: 'The server stops at once.', reconnect: 'backoff' },
  protocolError: { code: 1002, meaning: 'A frame breaks RFC 6455.', reconnect: 'never' },
  binaryFrame: { code: 1003, meaning: 'A binary frame; only text is spoken.', reconnect: 'never' },
  notUtf8: { code: 1007, meaning: 'A text frame is not UTF-8.', reconnect: 'never' },
  policy: { code: 1008, meaning: 'Ten bad frames in a row.', reconnect: 'never' },
  tooBig: { code: 1009, meaning: 'A message over MAX_MESSAGE_BYTES.', reconnect: 'never' },
  drain: { code: 1012, meaning: 'The pod is drained; another one takes over.', reconnect: 'backoff' },
  overload: {
    code: 1013,
    meaning: 'The client reads too slowly, or the pod is overloaded.',
    reconnect: 'backoff',
  },
  tokenEnded: { code: 4401, meaning: 'The token expired or was revoked.', reconnect: 'new-token' },
  kicked: { code: 4403, meaning: 'Disconnected by the application.', reconnect: 'never' },
  noHeartbeat: {
    code: 4408,
    meaning: 'Nothing was heard within HEARTBEAT_TIMEOUT_SECONDS.',
    reconnect: 'backoff',
  },
  rateAbuse: {
    code: 4429,
    meaning: 'The rate limit was exceeded for ten seconds in a row.',
    reconnect: 'backoff',
  },
} as const satisfies Record<string, CloseCode>;

/** What a client should do after a close with this code; codes that are not listed (1006 among them): backoff. */
export function reconnectAfter(code: number): Reconnect {
  return Object.values(CLOSE).find((row) => row.code === code)?.reconnect ?? 'backoff';
}
