import { type Action, readRule, type Rule } from '../../protocol/rule.ts';
import type { Permissions } from '../ports/principal.ts';

export type { Action } from '../../protocol/rule.ts';

/**
 * Permissions as a list of rules. A rule is `action:pattern`; a pattern is a room name in which `*` stands for any run
 * of characters and `{user}` for the user's own id. `@global` and `@direct` are not rooms: only a pattern that begins
 * with `@` names them.
 */
export class RuleList implements Permissions {
  readonly #rules: readonly Rule[];

  constructor(rules: readonly Rule[]) {
    this.#rules = rules;
  }

  allow(action: Action, name: string, userId: string): boolean {
    return this.#rules.some(
      (rule) =>
        (rule.action === action || rule.action === '*') &&
        (rule.pattern === '*' ? !name.startsWith('@') : matches(rule.pattern, name, userId)),
    );
  }

  /** `api:*` or `*:*` opens the HTTP API. */
  get allowApi(): boolean {
    return this.#rules.some(({ action, pattern }) => (action === 'api' || action === '*') && pattern === '*');
  }
}

/** Everything, everywhere: for all users while authentication is off, and for the holder of an API key. */
export const UNRESTRICTED = new RuleList([
  { action: '*', pattern: '*' },
  { action: '*', pattern: '@*' },
]);

/** For a token without a permissions claim: everything in rooms, nothing globally. */
export const DEFAULT_PERMISSIONS = new RuleList(
  (['join', 'publish', 'presence', 'history'] as const).map((action) => ({ action, pattern: '*' })),
);

/** Reads a permissions claim; undefined if it is malformed, so that the token is refused. */
export function readPermissions(claim: unknown): Permissions | undefined {
  if (claim === undefined) return DEFAULT_PERMISSIONS;
  if (!Array.isArray(claim)) return undefined;
  const rules = claim.map((text: unknown) => readRule(text));
  return rules.includes(undefined) ? undefined : new RuleList(rules.filter((rule) => rule !== undefined));
}

/**
 * Glob matching without a regular expression: a user id or a claim could make one slow, or make it match more. Only a
 * pattern that begins with `@` matches a name that begins with `@`.
 */
function matches(pattern: string, name: string, userId: string): boolean {
  if (pattern.startsWith('@') !== name.startsWith('@')) return false;
  const pieces = pattern.split('*').map((piece) => piece.replaceAll('{user}', () => userId));
  const [first = '', ...others] = pieces;
  if (others.length === 0) return name === first;
  const last = others.pop() ?? '';
  if (!name.startsWith(first) || name.length < first.length + last.length || !name.endsWith(last))
    return false;
  let from = first.length;
  for (const piece of others) {
    const at = name.indexOf(piece, from);
    if (at === -1 || at + piece.length > name.length - last.length) return false;
    from = at + piece.length;
  }
  return true;
}
