/** What a client should do after a close: reconnect with backoff, reconnect with a new token, or not reconnect. */
export type Reconnect = 'backoff' | 'new-token' | 'never';

export interface CloseCode {
  readonly code: number;
  readonly reconnect: Reconnect;
}

/**
 * Every close code. 1000–1013 are from RFC 6455 section 7.4.1 and its registry; 4000–4999 are private (section 7.4.2).
 * close-meanings.ts explains them.
 */
export const CLOSE = {
  normal: { code: 1000, reconnect: 'never' },
  goingAway: { code: 1001, reconnect: 'backoff' },
  protocolError: { code: 1002, reconnect: 'never' },
  binaryFrame: { code: 1003, reconnect: 'never' },
  notUtf8: { code: 1007, reconnect: 'never' },
  policy: { code: 1008, reconnect: 'never' },
  tooBig: { code: 1009, reconnect: 'never' },
  drain: { code: 1012, reconnect: 'backoff' },
  overload: { code: 1013, reconnect: 'backoff' },
  tokenEnded: { code: 4401, reconnect: 'new-token' },
  kicked: { code: 4403, reconnect: 'never' },
  noHeartbeat: { code: 4408, reconnect: 'backoff' },
  rateAbuse: { code: 4429, reconnect: 'backoff' },
} as const satisfies Record<string, CloseCode>;

/** What a client should do after a close with this code. A code that is not listed, such as 1006, means backoff. */
export function reconnectAfter(code: number): Reconnect {
  return Object.values(CLOSE).find((row) => row.code === code)?.reconnect ?? 'backoff';
}
