import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { CHART, dryRun, find, render } from './helm.ts';
import { isObject, type Schema, SCHEMA, VALUES } from './schema.ts';
import { valueRows } from '../../scripts/chart-readme.ts';

const RELEASE = { 'app.kubernetes.io/instance': 'r' };
const readme = readFileSync(join(CHART, 'README.md'), 'utf8');
const examples = [...readme.matchAll(/```yaml\n([^]*?)```/g)].map(([, text = '']) => text);

/** Values with nothing fixed below them. */
function* leavesOf(values: unknown, schema: Schema | undefined, prefix = ''): Generator<string> {
  if (!isObject(values)) return;
  for (const [name, value] of Object.entries(values)) {
    const inner = schema?.properties?.[name];
    const isGroup = isObject(value) && Object.keys(value).length > 0 && inner?.properties !== undefined;
    if (isGroup) yield* leavesOf(value, inner, `${prefix}${name}.`);
    else yield `${prefix}${name}`;
  }
}

test('the table of values has a row for each value, and each row says something', () => {
  const rows = valueRows();
  const withDefault = rows
    .filter(([, fallback]) => fallback !== '')
    .map(([path]) => path.replaceAll('`', ''));
  expect(withDefault).toEqual([...leavesOf(VALUES, SCHEMA)]);
  expect(rows.filter(([, , meaning]) => meaning === '')).toEqual([]);
});

test('the table of values has what stands above a value, also above the first of a group', () => {
  const meanings = Object.fromEntries(valueRows().map(([path, , meaning]) => [path, meaning]));
  expect(meanings['`replicaCount`']).toBe(
    'Number of gateway pods without an autoscaler. More than one pod needs Redis or NATS.',
  );
  expect(meanings['`drain.preStopSeconds`']).toMatch(/^Sleep before a stopping pod gets SIGTERM/);
  expect(meanings['`keda`']).toBe('A KEDA ScaledObject instead of the HPA; both at once are refused.');
  expect(meanings['`keda.prometheus.serverAddress`']).toBe(
    'Address of Prometheus, for example http://prometheus.monitoring.svc:9090',
  );
});

test.each(examples)('the values of README.md can be installed:\n%s', async (text) => {
  const { code, stderr } = await dryRun(parse(text) as object);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});

test('README.md has examples, and names what stays after an uninstall', async () => {
  expect(examples).toHaveLength(3);
  const [, selector = ''] = /delete pvc --selector (\S+)/.exec(readme) ?? [];
  // The release of the README is another one.
  const wanted = { ...Object.fromEntries(selector.split(',').map((one) => one.split('='))), ...RELEASE };
  const objects = await render();
  const [claim] = find(objects, 'StatefulSet', 'r-crosspod-redis')['spec'].volumeClaimTemplates;
  expect(Object.keys(wanted)).toHaveLength(2);
  expect(claim.metadata.labels).toMatchObject(wanted);
});
