const ACTIONS = ['join', 'publish', 'presence', 'history', 'api'] as const;
const PATTERN = /^@?(?:[A-Za-z0-9_.:@*-]|\{user\})+$/;

export type Action = (typeof ACTIONS)[number];

/** One permission, written `action:pattern` (docs/protocol.md, "Permissions"). */
export interface Rule {
  readonly action: Action | '*';
  readonly pattern: string;
}

/** Undefined if the text is not a rule. */
export function readRule(text: unknown): Rule | undefined {
  if (typeof text !== 'string') return undefined;
  const colon = text.indexOf(':');
  const name = text.slice(0, Math.max(0, colon));
  const action = name === '*' ? name : ACTIONS.find((one) => one === name);
  const pattern = text.slice(colon + 1);
  return action !== undefined && PATTERN.test(pattern) ? { action, pattern } : undefined;
}
