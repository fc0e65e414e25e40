/**
 * Every `code` of an error frame with the sentence that goes with it where the place that raises it has nothing
 * better to say. docs/protocol.md prints this table and a test compares them.
 */
export const ERRORS = {
  invalid_json: 'the frame is not a JSON object',
  invalid_message: 'a field of the frame has a wrong type or value',
  unknown_type: 'the type is not one that a client may send',
  type_not_allowed: 'only the server sends this type',
  invalid_room: 'a room name has 1 to 128 of A-Z a-z 0-9 _ - . : @ and begins with a letter or digit',
  not_in_room: 'join the room first',
  too_many_rooms: 'the connection is in as many rooms as it may be; leave one first',
  forbidden: 'no permission for this',
  rate_limited: 'too many messages; wait before you send again',
  token_expired: 'the token has expired',
  invalid_token: 'the token is not valid',
  too_large: 'the message is larger than what may be sent here',
  unavailable: 'this cannot be done at present; try it again later',
  internal: 'something went wrong on the server; send it again',
} as const;

export type ErrorCode = keyof typeof ERRORS;

/** The codes that say a frame could not be understood; ten of them in a row close the connection with 1008. */
export const BAD_FRAME_CODES: ReadonlySet<ErrorCode> = new Set([
  'invalid_json',
  'invalid_message',
  'unknown_type',
  'type_not_allowed',
]);

/** What went wrong with one command, as told to its sender alone. */
export interface Rejection {
  readonly code: ErrorCode;
  readonly error: string;
  readonly retryAfterMs?: number;
}

export function rejection(code: ErrorCode, error: string = ERRORS[code]): Rejection {
  return { code, error };
}
