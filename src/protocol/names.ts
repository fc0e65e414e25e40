const ROOM = /^[A-Za-z0-9][A-Za-z0-9_.:@-]{0,127}$/;
/** Visible characters by their Unicode properties, so that this list need not grow with Unicode. */
const VISIBLE = '[^\\p{Cc}\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}\\p{Default_Ignorable_Code_Point}]';
/** Joiners occur within words of Persian and of Indic scripts, and within emoji (both at once in a heart on fire). */
const JOINER = '(?:[\\u200C\\u200D\\uFE0F]|\\uFE0F\\u200D)';
const PRINTABLE = new RegExp(`^(?=.{1,256}$)${VISIBLE}+(?:${JOINER}${VISIBLE}+)*$`, 'u');

/** The `from` of messages that the server itself publishes. */
export const SYSTEM = 'system';
/** Used in place of a room for messages without one, in idempotency keys, permissions and the channel dialect. */
export const GLOBAL = '@global';
export const DIRECT = '@direct';
/** Distinguishes a connection id from a user id in `to`. */
export const CONNECTION_PREFIX = 'conn:';

/** 1–128 of `A–Z a–z 0–9 _ - . : @`, first a letter or digit. */
export function isRoomName(name: unknown): name is string {
  return typeof name === 'string' && ROOM.test(name);
}

/** 1–256 visible characters, with joiners only between two of them, so that no two ids look the same but differ. */
export function isPrintable(text: string): boolean {
  return PRINTABLE.test(text);
}

/** 1–256 printable characters; neither `system` nor anything that begins with `conn:` or `@`. */
export function isUserId(id: string): boolean {
  return isPrintable(id) && id !== SYSTEM && !id.startsWith(CONNECTION_PREFIX) && !id.startsWith('@');
}
