import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { CHART } from './helm.ts';

/** What this chart's schema uses of JSON Schema. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly minItems?: number;
}

export const SCHEMA = JSON.parse(readFileSync(join(CHART, 'values.schema.json'), 'utf8')) as Schema;

export const VALUES = parse(readFileSync(join(CHART, 'values.yaml'), 'utf8')) as Record<string, unknown>;

/** A place among the values: names of keys, and 0 for the items of a list. */
export type Path = readonly (string | 0)[];

/** Every place that the schema speaks of, the whole first. */
export function* placesOf(schema: Schema, path: Path = []): Generator<{ path: Path; schema: Schema }> {
  yield { path, schema };
  for (const [name, inner] of Object.entries(schema.properties ?? {}))
    yield* placesOf(inner, [...path, name]);
  if (schema.items !== undefined) yield* placesOf(schema.items, [...path, 0]);
}

/** The value at the place, and nothing beside it. */
export function valueAt(path: Path, value: unknown): unknown {
  const [first, ...rest] = path;
  if (first === undefined) return value;
  const inner = valueAt(rest, value);
  return first === 0 ? [inner] : { [first]: inner };
}

/** The schema of the place; undefined where it says nothing of it. */
export function schemaAt(path: Path, schema: Schema | undefined = SCHEMA): Schema | undefined {
  const [first, ...rest] = path;
  if (first === undefined || schema === undefined) return schema;
  return schemaAt(rest, first === 0 ? schema.items : schema.properties?.[first]);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
