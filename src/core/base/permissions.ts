import { NamePattern } from '../../protocol/name-pattern.ts';
import { type Action, readRule, type Rule } from '../../protocol/rule.ts';
import type { Permissions } from '../ports/principal.ts';

export type { Action } from '../../protocol/rule.ts';

/**
 * Permissions as a list of rules. A rule is `action:pattern`; a pattern is a room name in which `*` stands for any run
 * of characters and `{user}` for the user's own id, encoded as a part of a room name (src/protocol/user-name.ts).
 * `@global` and `@direct` are not rooms: only a pattern that begins with `@` names them.
 */
export class RuleList implements Permissions {
  readonly #rules: readonly (Rule & { readonly names: NamePattern })[];

  constructor(rules: readonly Rule[]) {
    this.#rules = rules.map((rule) => ({ ...rule, names: new NamePattern(rule.pattern) }));
  }

  allow(action: Action, name: string, userId: string): boolean {
    return this.#rules.some(
      (rule) =>
        (rule.action === action || rule.action === '*') &&
        (rule.pattern === '*' ? !name.startsWith('@') : rule.names.fits(name, userId)),
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

/** The same without the HTTP API: for clients without a token while API keys say who is the server. */
export const EVERY_CLIENT = new RuleList(
  (['join', 'publish', 'presence', 'history'] as const).flatMap((action) =>
    ['*', '@*'].map((pattern) => ({ action, pattern })),
  ),
);

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
