/** JSON text. The `data` of a client is parsed and encoded once, and then passed on as text. */
export type Json = string;

/** The maximum nesting. JSON.stringify recurses: without a limit, accepted data could overflow the stack later. */
const DEPTH_LIMIT = 512;

/** Undefined if the value is nested too deeply, or has no JSON form, as a function. */
export function writeJson(value: unknown): Json | undefined {
  try {
    const text = JSON.stringify(value) as string | undefined;
    return text === undefined || isTooDeep(text) ? undefined : text;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Shorter texts cannot be nested so deeply, so they are not scanned. */
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

/** The length of JSON text in UTF-8. It has no lone surrogates, because `JSON.stringify` escapes them. */
export function utf8Length(text: Json): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    // A surrogate pair has four bytes, two for each half.
    bytes += unit < 0x8_00 || (unit >= 0xd8_00 && unit < 0xe0_00) ? 1 : 2;
  }
  return bytes;
}
