import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { rulesSchema } from '../src/rules/definition.ts';
import { SETTINGS, type Setting } from '../src/settings.ts';

const CHART = join(import.meta.dirname, '../charts/crosspod');

interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
}

/** Files that are made from the gateway's settings, its rules and values.yaml, by their paths. */
export function madeFiles(): Readonly<Record<string, string>> {
  return {
    'charts/crosspod/files/settings.json': json(settingChecks()),
    'src/rules/rules.schema.json': json(rulesSchema()),
    'charts/crosspod/values.schema.json': json(valuesSchema()),
    'charts/crosspod/files/needed-values.json': json(Object.fromEntries(neededValues())),
  };
}

/** The schema of the values as it is written, with the rules of the gateway in place of its `rooms`. */
function valuesSchema(): object {
  const schema = JSON.parse(readFileSync(join(CHART, 'values.schema.json'), 'utf8')) as Schema;
  const rooms = rulesSchema().properties?.['rooms'];
  return { ...schema, properties: { ...schema.properties, rooms } };
}

/** What the chart can check of each setting before a pod does. Nothing of a kind is: its `pattern` is empty. */
function settingChecks(): object {
  const rows = Object.entries<Setting<unknown>>(SETTINGS).map(([name, { kind }]) => {
    const { allowed, secret = false, pattern = '', bounds } = kind;
    const range = bounds === undefined ? {} : { least: bounds[0], most: bounds[1] };
    return [name, { allowed, secret, pattern, ...range }];
  });
  return Object.fromEntries(rows);
}

/** Values that may be empty: Kubernetes has defaults for most of these; the templates handle secrets and access. */
const LEFT_ALONE =
  /^(global|settings|secrets|authentication|\w+Probe|updateStrategy)$|[rR]esources$|[sS]ecurityContext$|behavior$/;

/** Values that have to be something, by path: groups of values, and values that have a default. */
function neededValues(): (readonly [path: string, kind: 'group' | 'value'])[] {
  const values: unknown = parse(readFileSync(join(CHART, 'values.yaml'), 'utf8'));
  const schema = JSON.parse(readFileSync(join(CHART, 'values.schema.json'), 'utf8')) as Schema;
  return neededIn(values, schema, '');
}

function neededIn(values: unknown, schema: Schema, prefix: string): ReturnType<typeof neededValues> {
  return Object.entries(values as object).flatMap(([name, value]: [string, unknown]) => {
    const inner = schema.properties?.[name];
    const path = `${prefix}${name}`;
    if (inner === undefined || LEFT_ALONE.test(path) || [inner.type].flat().includes('null')) return [];
    if (inner.properties !== undefined)
      return [[path, 'group'] as const, ...neededIn(value, inner, `${path}.`)];
    const isEmpty = value === null || value === '' || typeof value === 'object';
    return isEmpty ? [] : [[path, 'value'] as const];
  });
}

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
