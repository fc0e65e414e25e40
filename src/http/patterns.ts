/**
 * What names look like, for the documents. Clients are generated from them in many languages, whose regular expressions
 * have in common neither looking ahead nor Unicode properties: what that leaves out is said in words beside each.
 */
const CONTROLS = String.raw`\x00-\x1f\x7f-\x9f`;
const ANY = `[^${CONTROLS}]`;

export const ROOM_PATTERN = '^[A-Za-z0-9][A-Za-z0-9_.:@-]{0,127}$';
export const ROOM_PREFIX_PATTERN = '^([A-Za-z0-9][A-Za-z0-9_.:@-]{0,127})?$';

/** Neither `system` nor what begins with `conn:` or `@`. */
export const USER_PATTERN = `^(${[
  `[^@cs${CONTROLS}]${ANY}*`,
  ...diverging('conn:'),
  ...diverging('system'),
  `system${ANY}+`,
].join('|')})$`;

/** The same, or `system`. */
export const FROM_PATTERN = USER_PATTERN.replace('^(', '^(system|');

/** Texts that begin like the word and then end, or go on otherwise. */
function diverging(word: string): string[] {
  return Array.from(word.slice(1), (next, index) => {
    return `${word.slice(0, index + 1)}([^${next}${CONTROLS}]${ANY}*)?`;
  });
}
