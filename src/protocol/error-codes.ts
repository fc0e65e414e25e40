/** Every `code` of an error frame, with its default text. `npm run docs` writes this table into docs/protocol.md. */
export const ERRORS = {
  invalid_json: 'the frame is not a JSON object',
  invalid_message: 'a field of the frame has a wrong type or value',
  unknown_type: 'the type is not one that a client may send',
  type_not_allowed: 'only the server may send this type',
  invalid_room: 'a room name has 1 to 128 of A-Z a-z 0-9 _ - . : @ and begins with a letter or digit',
  not_in_room: 'join the room first',
  too_many_rooms: 'the connection is in the maximum number of rooms; leave one first',
  room_full: 'the room has as many members as it may have',
  forbidden: 'you have no permission for this',
  rate_limited: 'too many messages; wait before you send the next one',
  token_expired: 'the token has expired',
  invalid_token: 'the token is not valid',
  too_large: 'the message is too large',
  unavailable: 'this is not possible now; retry later',
  internal: 'something went wrong on the server; retry',
} as const;

export type ErrorCode = keyof typeof ERRORS;

/** The codes of frames that could not be decoded. Ten of them in a row close the connection with 1008. */
export const BAD_FRAME_CODES: ReadonlySet<ErrorCode> = new Set([
  'invalid_json',
  'invalid_message',
  'unknown_type',
  'type_not_allowed',
]);

/** Why one command failed. Only the client that sent it receives this. */
export interface Rejection {
  readonly code: ErrorCode;
  readonly error: string;
  readonly retryAfterMs?: number;
}

export function rejection(code: ErrorCode, error: string = ERRORS[code]): Rejection {
  return { code, error };
}
