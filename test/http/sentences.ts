const KEYS = new Set(['summary', 'description']);
/** At least three words, a capital letter or a backtick first, a period last, and no pronoun without a noun before it. */
const SENTENCE = /^(?!(?:It|They|All of)\b)[A-Z`]\S*(?:\s+\S+){2,}\.$/;

/** The summaries and descriptions in an OpenAPI or AsyncAPI document that are not sentences. */
export function unfinishedTexts(node: unknown): string[] {
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([key, value]) =>
    KEYS.has(key) && typeof value === 'string'
      ? [value].filter((text) => !SENTENCE.test(text))
      : unfinishedTexts(value),
  );
}
