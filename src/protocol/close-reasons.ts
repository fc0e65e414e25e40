import { CLOSE, type CloseCode } from './close-codes.ts';

/**
 * What a close says for people where the place that makes it knows nothing better; apart from the codes, which every
 * client carries. 1000 is an answer, and says what the client said; 1002, 1007 and 1009 come from the WebSocket library.
 * docs/protocol.md prints them with the table of closes.
 */
export const CLOSE_REASONS: Readonly<Partial<Record<keyof typeof CLOSE, string>>> = {
  goingAway: 'the server stops',
  binaryFrame: 'only text frames are understood',
  policy: 'ten frames in a row could not be understood',
  drain: 'another pod takes over',
  overload: 'the client reads too slowly',
  tokenEnded: 'token expired',
  kicked: 'disconnected by the application',
  noHeartbeat: 'nothing was heard in time',
  rateAbuse: 'too many messages for ten seconds in a row',
};

const BY_CODE: ReadonlyMap<number, string> = new Map(
  Object.entries(CLOSE_REASONS).map(([name, reason]) => [CLOSE[name as keyof typeof CLOSE].code, reason]),
);

/** Undefined where the pod has no words of its own. */
export function reasonOf({ code }: CloseCode): string | undefined {
  return BY_CODE.get(code);
}
