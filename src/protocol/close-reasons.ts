import { CLOSE, type CloseCode } from './close-codes.ts';

/**
 * The default reason text of each close. 1000 repeats the client's reason; the WebSocket library makes 1002, 1007 and
 * 1009. Clients do not load this file, only the codes. `npm run docs` writes the texts into docs/protocol.md.
 */
export const CLOSE_REASONS: Readonly<Partial<Record<keyof typeof CLOSE, string>>> = {
  goingAway: 'the server is stopping',
  binaryFrame: 'only text frames are supported',
  policy: 'ten invalid frames in a row',
  drain: 'another pod takes over',
  overload: 'the client reads too slowly',
  tokenEnded: 'token expired',
  kicked: 'disconnected by the application',
  noHeartbeat: 'the server received nothing in time',
  rateAbuse: 'too many messages in each of ten seconds in a row',
};

const BY_CODE: ReadonlyMap<number, string> = new Map(
  Object.entries(CLOSE_REASONS).map(([name, reason]) => [CLOSE[name as keyof typeof CLOSE].code, reason]),
);

/** Undefined for a code without a default reason. */
export function reasonOf({ code }: CloseCode): string | undefined {
  return BY_CODE.get(code);
}
