import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMap, type Pair, parseDocument, type Scalar, type YAMLMap } from 'yaml';

const CHART = join(import.meta.dirname, '../charts/crosspod');

interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
}

/** One row for each value of the chart, and for each group of values that values.yaml says something of. */
export function valueRows(): (readonly [path: string, fallback: string, meaning: string])[] {
  const document = parseDocument(readFileSync(join(CHART, 'values.yaml'), 'utf8'));
  const schema = JSON.parse(readFileSync(join(CHART, 'values.schema.json'), 'utf8')) as Schema;
  if (!isMap(document.contents)) throw new Error('values.yaml is no map');
  // What stands above the first value is the document's.
  document.contents.commentBefore ??= document.commentBefore;
  return rowsOf(document.contents, schema, '');
}

function rowsOf(map: YAMLMap, schema: Schema, prefix: string): ReturnType<typeof valueRows> {
  return map.items.flatMap((item, index) => {
    const pair = item as Pair<Scalar<string>>;
    const path = `${prefix}${pair.key.value}`;
    const inner = schema.properties?.[pair.key.value];
    // The parser takes what stands above the first key of a map for the map's.
    const comment = (index === 0 ? map.commentBefore : undefined) ?? pair.key.commentBefore;
    const meaning = comment?.replaceAll(/\s+/g, ' ').trim() ?? inner?.description ?? '';
    if (inner?.properties === undefined || !isMap(pair.value) || pair.value.items.length === 0)
      return [[`\`${path}\``, `\`${JSON.stringify(pair.value)}\``, meaning] as const];
    const rows = rowsOf(pair.value, inner, `${path}.`);
    return comment === undefined ? rows : [[`\`${path}\``, '', meaning] as const, ...rows];
  });
}
