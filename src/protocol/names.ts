const ROOM = /^[A-Za-z0-9][A-Za-z0-9_.:@-]{0,127}$/;
const PRINTABLE = /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]{1,256}$/u;

/** The author of what the server itself says. */
export const SYSTEM = 'system';
/** Stand-ins for a room where a message has none: idempotency, permissions and the channel dialect use them. */
export const GLOBAL = '@global';
export const DIRECT = '@direct';
/** Before a connection id, where a user id could stand as well. */
export const CONNECTION_PREFIX = 'conn:';

/** 1–128 of `A–Z a–z 0–9 _ - . : @`, first a letter or digit. */
export function isRoomName(name: unknown): name is string {
  return typeof name === 'string' && ROOM.test(name);
}

/** 1–256 printable characters; neither `system` nor anything that begins with `conn:` or `@`. */
export function isUserId(id: string): boolean {
  return PRINTABLE.test(id) && id !== SYSTEM && !id.startsWith(CONNECTION_PREFIX) && !id.startsWith('@');
}
