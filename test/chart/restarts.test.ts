import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { CHART, find, helm, type KubernetesObject, render } from './helm.ts';

// Passwords that are generated would be others at each rendering.
const BASE = {
  replicaCount: 1,
  redis: { enabled: false },
  secrets: { API_KEYS: 'one' },
  authentication: { enabled: false },
};

/** What a pod is made of: where it changes, Kubernetes replaces all pods. */
async function pods(values: object): Promise<unknown> {
  return templateOf(await render({ ...BASE, ...values }));
}

function templateOf(objects: readonly KubernetesObject[]): unknown {
  return find(objects, 'Deployment', 'r-crosspod')['spec'].template;
}

test.each<[string, object]>([
  ['a setting', { settings: { HISTORY_SIZE: 5 } }],
  ['the drain', { drain: { windowSeconds: 20 } }],
  ['a secret', { secrets: { API_KEYS: 'another' } }],
  ['where Redis is', { externalRedis: { url: 'redis://elsewhere:6379' } }],
  ['where NATS is', { externalNats: { servers: ['nats://elsewhere:4222'] } }],
  ['where NATS is, in a Secret', { externalNats: { existingSecret: 'mine', urlKey: 'url' } }],
])('pods are replaced when %s changes, as they read it once', async (_, values) => {
  expect(await pods(values)).not.toEqual(await pods({}));
});

const PASSWORDS = { password: 'a', sentinelPassword: 'b', replicationPassword: 'c' };
const WITH_REDIS = { redis: { enabled: true, auth: PASSWORDS } };

function annotations(values: object): Promise<Record<string, string>> {
  return render({ ...BASE, ...values }).then(
    (objects) => find(objects, 'Deployment', 'r-crosspod')['spec'].template.metadata.annotations,
  );
}

test.each(['password', 'sentinelPassword'])('pods are replaced for a new redis.auth.%s', async (name) => {
  const auth = { ...PASSWORDS, [name]: 'another' };
  expect(await pods({ redis: { enabled: true, auth } })).not.toEqual(await pods(WITH_REDIS));
});

test('what pods know nothing of does not replace them: passwords between Redis alone, or of none', async () => {
  const auth = { ...PASSWORDS, replicationPassword: 'another' };
  expect(await pods({ redis: { enabled: true, auth } })).toEqual(await pods(WITH_REDIS));
  expect(await pods({ redis: { enabled: false, auth } })).toEqual(await pods({}));
});

test('annotations say nothing of secrets by which one could guess them, or see that two releases share one', async () => {
  const names = ['checksum/secret', 'checksum/redis-auth'];
  const ours = await annotations(WITH_REDIS);
  const objects = await render({ ...BASE, ...WITH_REDIS, fullnameOverride: 'x' }, ['--namespace', 'other']);
  const theirs = find(objects, 'Deployment', 'x')['spec'].template.metadata.annotations;
  const plain = [{ API_KEYS: 'one' }, { password: 'a', sentinelPassword: 'b' }].map((data) =>
    createHash('sha256').update(JSON.stringify(data)).digest('hex'),
  );
  for (const name of names) {
    expect(ours[name]).toMatch(/^[0-9a-f]{64}$/);
    expect(ours[name]).not.toBe(theirs[name]);
    expect(plain).not.toContain(ours[name]);
  }
  expect(await annotations(WITH_REDIS)).toEqual(ours);
  const generated = await annotations({
    redis: { enabled: true },
    secrets: { existingSecret: 'mine', API_KEYS: '' },
    authentication: { enabled: true },
  });
  for (const name of names) expect(generated).not.toHaveProperty([name]);
});

test.each<[string, object]>([
  ['the number of pods', { replicaCount: 0 }],
  ['a Service', { service: { type: 'LoadBalancer', port: 8080 }, opsService: { port: 9100 } }],
  ['the Ingress', { ingress: { enabled: true, preset: 'traefik' } }],
  ['a policy', { networkPolicy: { enabled: true }, podDisruptionBudget: { enabled: false } }],
  ['what is monitored', { monitoring: { prometheusRule: { enabled: true }, dashboard: { enabled: true } } }],
  ['how it is updated', { updateStrategy: { rollingUpdate: { maxSurge: 3 } } }],
])('pods stay when %s changes', async (_, values) => {
  expect(await pods(values)).toEqual(await pods({}));
});

test('pods stay when only the chart is new', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'crosspod-chart-'));
  try {
    cpSync(CHART, folder, { recursive: true });
    const chart = readFileSync(join(folder, 'Chart.yaml'), 'utf8');
    writeFileSync(join(folder, 'Chart.yaml'), chart.replace(/^version: .*/m, 'version: 9.9.9'));
    const args = [
      '--set',
      'replicaCount=1,redis.enabled=false,secrets.API_KEYS=one,authentication.enabled=false',
    ];
    const { stdout } = await helm('template', 'r', folder, '--namespace', 'n', ...args);
    expect(stdout).toContain('crosspod-9.9.9');
    const objects = parseAllDocuments(stdout).map((document) => document.toJS() as KubernetesObject | null);
    expect(templateOf(objects.filter((object) => object !== null))).toEqual(await pods({}));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
