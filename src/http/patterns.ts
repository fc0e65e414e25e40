/**
 * The patterns of names in the OpenAPI and AsyncAPI documents. Generated clients in many languages use them, so they
 * contain neither lookahead nor Unicode properties; the descriptions state the remaining rules.
 */
const CONTROLS = String.raw`\x00-\x1f\x7f-\x9f`;
const ANY = `[^${CONTROLS}]`;

export const ROOM_PATTERN = '^[A-Za-z0-9][A-Za-z0-9_.:@-]{0,127}$';
export const ROOM_PREFIX_PATTERN = '^([A-Za-z0-9][A-Za-z0-9_.:@-]{0,127})?$';

/** Excludes `system` and everything that begins with `conn:` or `@`. */
export const USER_PATTERN = `^(${[
  `[^@cs${CONTROLS}]${ANY}*`,
  ...diverging('conn:'),
  ...diverging('system'),
  `system${ANY}+`,
].join('|')})$`;

/** Like USER_PATTERN, and `system`. */
export const FROM_PATTERN = USER_PATTERN.replace('^(', '^(system|');

/** Patterns of texts that share a beginning with the word and then end or differ from it. */
function diverging(word: string): string[] {
  return Array.from(word.slice(1), (next, index) => {
    return `${word.slice(0, index + 1)}([^${next}${CONTROLS}]${ANY}*)?`;
  });
}
