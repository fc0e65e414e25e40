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
  token_revoked: 'the token is revoked',
  blocked: 'the user is blocked',
  too_large: 'the message is too large',
  unknown_method: 'the application knows no such method',
  unavailable: 'this is not possible now; retry later',
  internal: 'something went wrong on the server; retry',
} as const;

export type ErrorCode = keyof typeof ERRORS;

declare const own: unique symbol;

/** A code that the operator's hook or backend chose: 1 to 64 of a-z 0-9 _. It reaches the client as it is. */
export type OwnCode = string & { readonly [own]: true };

/** Any code of a hook or backend, one of the protocol's or their own; undefined if it is not written like one. */
export function readCode(code: unknown): ErrorCode | OwnCode | undefined {
  return typeof code === 'string' && /^[a-z0-9_]{1,64}$/.test(code) ? (code as OwnCode) : undefined;
}

/** Whether the code is one of the protocol's. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}

/** The codes of frames that could not be decoded. Ten of them in a row close the connection with 1008. */
export const BAD_FRAME_CODES: ReadonlySet<string> = new Set<ErrorCode>([
  'invalid_json',
  'invalid_message',
  'unknown_type',
  'type_not_allowed',
]);

/** Why one command failed. Only the client that sent it receives this. */
export interface Rejection {
  readonly code: ErrorCode | OwnCode;
  readonly error: string;
  readonly retryAfterMs?: number;
}

/** Without a text of its own, a code of the operator's has that of `forbidden`. */
export function rejection(
  code: ErrorCode | OwnCode,
  error: string = ERRORS[isErrorCode(code) ? code : 'forbidden'],
): Rejection {
  return { code, error };
}
