import { isUserId } from './names.ts';

/** What a room name holds as it is. `:` is not among it, because it begins an encoded byte. */
const PLAIN = /^[A-Za-z0-9_.@-]*$/;
const OTHER = /[^A-Za-z0-9_.@-]+/gu;
const ENCODED = /^(?:[A-Za-z0-9_.@-]|:[0-9a-f]{2})+$/;

/**
 * A user id as a part of a room name: `:` and every character that a room name may not hold are written as UTF-8, each
 * byte as `:` and two lower-case hex digits. No two ids have the same encoding.
 */
export function encodeUser(userId: string): string {
  if (PLAIN.test(userId)) return userId;
  return userId.replaceAll(OTHER, (text) => Array.from(new TextEncoder().encode(text), encodeByte).join(''));
}

function encodeByte(byte: number): string {
  return `:${byte.toString(16).padStart(2, '0')}`;
}

/** The user id of an encoding; undefined if the text is no user id as `encodeUser` writes it. */
export function decodeUser(text: string): string | undefined {
  if (!ENCODED.test(text)) return undefined;
  const userId = decoded(text);
  return userId !== undefined && isUserId(userId) && encodeUser(userId) === text ? userId : undefined;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll(':', '%'));
  } catch {
    return undefined; // not UTF-8
  }
}
