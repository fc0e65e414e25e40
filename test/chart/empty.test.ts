import { expect, test } from 'vitest';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHART, dryRun } from './helm.ts';
import { isObject, type Path, type Schema, SCHEMA, valueAt, VALUES } from './schema.ts';

/** Those that are made differ each time. */
const PASSWORDS = { redis: { auth: { password: 'a', sentinelPassword: 'b', replicationPassword: 'c' } } };
/** Or this: no rendering has to hash passwords, which takes several times as long as all the rest of it. */
const SECRET = { redis: { auth: { existingSecret: 'mine' } } };

/** Parts without which some of the values are not looked at. */
const ALL_PARTS = {
  ingress: { enabled: true, preset: 'traefik' },
  httpRoute: { enabled: true, parentRefs: [{ name: 'g' }] },
  autoscaling: { enabled: true },
  networkPolicy: { enabled: true },
  service: { type: 'LoadBalancer' },
  monitoring: {
    serviceMonitor: { enabled: true },
    prometheusRule: { enabled: true },
    dashboard: { enabled: true },
  },
};
const KEDA = {
  ...ALL_PARTS,
  autoscaling: {},
  keda: { enabled: true, prometheus: { serverAddress: 'http://p' } },
  monitoring: { podMonitor: { enabled: true } },
};

/** Values that are empty by default, or that have a default but need none. */
function* optional(value: unknown, schema: Schema | undefined, path: Path = []): Generator<Path> {
  const entries = isObject(value) ? Object.entries(value) : [];
  const isEmpty = Array.isArray(value) ? value.length === 0 : isObject(value) && entries.length === 0;
  if (isEmpty || /^(secrets|authentication)$/.test(path.join())) yield path;
  for (const [name, inner] of entries) yield* optional(inner, schema?.properties?.[name], [...path, name]);
}

function merged(below: unknown, above: unknown): unknown {
  if (!isObject(below) || !isObject(above)) return above;
  const entries = Object.entries(above).map(([name, value]) => [name, merged(below[name], value)]);
  return { ...below, ...Object.fromEntries(entries) };
}

async function outcome(values: unknown): Promise<string> {
  const { code, stdout, stderr } = await dryRun(values as object);
  if (code !== 0) throw new Error(stderr);
  return stdout.replaceAll(/^(LAST DEPLOYED|\s*checksum\/auth): .*$/gm, '');
}

const EMPTY = [...optional(VALUES, SCHEMA)].filter((path) => path.join('.') !== 'httpRoute.parentRefs');
const references = new Map<string, Promise<string>>();

/** What is rendered with the parts as they are; once for each. */
function reference(parts: unknown): Promise<string> {
  const key = JSON.stringify(parts);
  const known = references.get(key) ?? outcome(parts);
  references.set(key, known);
  return known;
}

/** The parts, with passwords where the value is in what is made of them. */
function withAuth(parts: object, path: Path): unknown {
  return merged(parts, /^(redis\.auth|commonLabels)\b/.test(path.join('.')) ? PASSWORDS : SECRET);
}

test('there are such values', () => {
  expect(EMPTY.map((path) => path.join('.'))).toEqual(
    expect.arrayContaining(['settings', 'secrets', 'podLabels', 'extraEnv', 'service.annotations']),
  );
});

test.each(EMPTY.map((path) => [path.join('.'), path] as const))(
  'a key %s with nothing behind it is as good as none',
  async (_, path) => {
    for (const some of [ALL_PARTS, KEDA]) {
      const parts = withAuth(some, path);
      expect(await outcome(merged(parts, valueAt(path, null)))).toBe(await reference(parts));
    }
  },
);

const GROUPS = Object.keys(VALUES).filter(
  (name) =>
    SCHEMA.properties?.[name]?.properties !== undefined &&
    !/^(settings|secrets|authentication)$|Probe$|updateStrategy/.test(name),
);

test.each(GROUPS)('a group %s with nothing in it is refused in plain words', async (name) => {
  const { code, stderr } = await dryRun({ [name]: null });
  expect(code).not.toBe(0);
  expect(stderr).toContain(`${name}: the group is empty; leave it out, or give it values`);
});

/** Every value and every group of them. */
function* every(value: unknown, path: Path = []): Generator<Path> {
  if (path.length > 0) yield path;
  if (isObject(value))
    for (const [name, inner] of Object.entries(value)) yield* every(inner, [...path, name]);
}

const NEEDED = JSON.parse(readFileSync(join(CHART, 'files/needed-values.json'), 'utf8')) as object;
const SEEN = new Set([...Object.keys(NEEDED), ...EMPTY.map((path) => path.join('.'))]);
const OTHERS = [...every(VALUES)].filter((path) => !SEEN.has(path.join('.')));

test('what has to be something is what has a default that a pod needs', () => {
  expect(Object.keys(NEEDED)).toEqual(
    expect.arrayContaining(['image.repository', 'redis.auth', 'keda.prometheus', 'service.port']),
  );
  for (const name of Object.keys(NEEDED)) expect(name).not.toMatch(/^\w+Probe|[rR]esources|ecurityContext/);
});

test.each(OTHERS.map((path) => [path.join('.'), path] as const))(
  'nothing behind %s is taken, or refused with what to do, and never stumbled over',
  async (_, path) => {
    const parts = withAuth(path[0] === 'keda' ? KEDA : ALL_PARTS, path);
    const { code, stdout, stderr } = await dryRun(merged(parts, valueAt(path, null)) as object);
    if (code === 0) expect(stdout).not.toMatch(/%!|<nil>|<no value>/);
    else expect(stderr).toMatch(/: execution error at \S+ [a-zA-Z.]+:? \w/);
  },
);

test.each([
  'startupProbe',
  'livenessProbe',
  'resources',
  'podSecurityContext',
  'securityContext',
  'updateStrategy',
])('a key %s with nothing behind it leaves the choice to Kubernetes', async (name) => {
  expect((await dryRun({ [name]: null })).stderr).toBe('');
});
