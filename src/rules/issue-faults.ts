import { type Fault, shown } from './faults.ts';
import { RULE_KEYS, type RuleKey } from './keys.ts';
import type { Source } from './source.ts';
import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

const FILE_KEYS = ['rooms'];

/** What the schema finds wrong, as sentences with their lines. */
export function issueFaults(issue: Issue, { value, lines }: Source): Fault[] {
  const { path } = issue;
  const where = placeOf(path);
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({
      line: lines.ofKey(path, key),
      text: `${where}the key ${shown(key)} is unknown; allowed: ${keysAt(path).join(', ')}`,
    }));
  const line = lines.ofValue(path);
  const given = valueAt(value, path);
  const name = keyOf(path);
  const allowed = allowedAt(path);
  if (given === undefined) return [{ line, text: `${where}${name} is missing; allowed: ${allowed}` }];
  return [
    { line, text: `${where}${name === '' ? '' : `${name}: `}${wrong(name, given)}; allowed: ${allowed}` },
  ];
}

function wrong(name: string, given: unknown): string {
  const sentence = `${shown(given)} is not valid`;
  if (name !== 'match' || typeof given !== 'string') return sentence;
  if (given.startsWith('@')) return `${sentence}: it means no room, but @global or @direct`;
  if (given.split('{user}').length > 2) return `${sentence}: {user} stands in it more than once`;
  return sentence;
}

/** `rule 3: ` for a path within the third rule. */
function placeOf([, index]: readonly PropertyKey[]): string {
  return typeof index === 'number' ? `rule ${index + 1}: ` : '';
}

/** The path of the key within the rule, without the number of an item in its list. */
function keyOf(path: readonly PropertyKey[]): string {
  if (path.length === 1) return 'rooms';
  return path
    .slice(2)
    .filter((step) => typeof step === 'string')
    .join('.');
}

function allowedAt(path: readonly PropertyKey[]): string {
  const key = keyOf(path);
  if (key === 'rooms') return 'a list of rules';
  const known = (RULE_KEYS as Readonly<Record<string, RuleKey>>)[key];
  return known?.allowed ?? `an object with the keys ${keysAt(path).join(', ')}`;
}

/** The keys that an object may have. */
function keysAt(path: readonly PropertyKey[]): string[] {
  if (path.length < 2) return FILE_KEYS;
  const prefix = path.length === 2 ? '' : `${keyOf(path)}.`;
  const inner = Object.keys(RULE_KEYS)
    .filter((key) => key.startsWith(prefix))
    .map((key) => key.slice(prefix.length).split('.', 1)[0] ?? '');
  return [...new Set(inner)];
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let at = value;
  for (const step of path) at = (at as Record<PropertyKey, unknown> | undefined)?.[step];
  return at;
}
