/** JSON text, ready to be put on the wire: what a client sent as `data` is parsed once and never again. */
export type Json = string;

/**
 * How deep data may be nested. JSON.stringify recurses, so that without a limit of our own it would depend on what
 * else is on the stack whether data that was taken can be written again.
 */
const DEPTH_LIMIT = 512;

/** Writes a value; undefined where it is nested too deeply, or is a function and the like. */
export function writeJson(value: unknown): Json | undefined {
  try {
    const text = JSON.stringify(value) as string | undefined;
    return text === undefined || isTooDeep(text) ? undefined : text;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Looks only at texts that are long enough to be so deep. */
function isTooDeep(text: Json): boolean {
  if (text.length <= DEPTH_LIMIT * 2) return false;
  let depth = 0;
  let inString = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (inString) {
      if (character === '\\') index += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === '[' || character === '{') {
      depth += 1;
      if (depth > DEPTH_LIMIT) return true;
    } else if (character === ']' || character === '}') depth -= 1;
  }
  return false;
}

/** How many bytes JSON text is on the wire; it holds no lone surrogates (`JSON.stringify` escapes those). */
export function utf8Length(text: Json): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    // Each half of a surrogate pair stands for two of its four bytes.
    bytes += unit < 0x8_00 || (unit >= 0xd8_00 && unit < 0xe0_00) ? 1 : 2;
  }
  return bytes;
}
