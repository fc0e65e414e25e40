const ROOM = /^[A-Za-z0-9][A-Za-z0-9_.:@-]{0,127}$/;
/** By what Unicode says of each character, so that no list of ours has to grow with it. */
const SEEN = '[^\\p{Cc}\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}\\p{Default_Ignorable_Code_Point}]';
/** Within words of Persian and of Indic scripts, and within emoji (also both: a heart on fire). */
const JOINER = '(?:[\\u200C\\u200D\\uFE0F]|\\uFE0F\\u200D)';
const PRINTABLE = new RegExp(`^(?=.{1,256}$)${SEEN}+(?:${JOINER}${SEEN}+)*$`, 'u');

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

/**
 * 1–256 characters that can be seen, and joiners between two others, so that no two ids differ by what nobody sees
 * alone.
 */
export function isPrintable(text: string): boolean {
  return PRINTABLE.test(text);
}

/** 1–256 printable characters; neither `system` nor anything that begins with `conn:` or `@`. */
export function isUserId(id: string): boolean {
  return isPrintable(id) && id !== SYSTEM && !id.startsWith(CONNECTION_PREFIX) && !id.startsWith('@');
}
