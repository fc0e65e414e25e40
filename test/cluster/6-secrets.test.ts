import { createHmac } from 'node:crypto';
import { afterAll, expect, test } from 'vitest';
import {
  get,
  helm,
  INGRESS_URL,
  kubectl,
  type KubernetesObject,
  kubectlWith,
  readyPodsOf,
  RELEASE,
} from './cluster.ts';
import { eventually } from './patience.ts';
import { atRest, install } from './release.ts';
import { saw } from './report.ts';

const SLOW = { timeout: 600_000 };
const NAME = 'late';
/** Two pods all the time: who comes and goes is looked at one by one. */
const VALUES = {
  'secrets.existingSecret': NAME,
  'autoscaling.enabled': 'false',
  replicaCount: 2,
};

afterAll(async () => {
  await write('afterwards');
  await install();
  await kubectl('delete', `secret/${NAME}`, '--ignore-not-found');
  await atRest();
});

/** The Secret with this key for tokens, whether or not it is there. */
async function write(key: string): Promise<void> {
  const stringData = { JWT_SECRET: key, API_KEYS: `api-${key}` };
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: NAME }, stringData };
  await kubectlWith(secret, 'apply', '--server-side', '--filename', '-');
}

function token(key: string): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { sub: 'ann', exp: Math.floor(Date.now() / 1_000) + 600 };
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
}

/** What an upgrade would be answered with now, asked so often that each pod has been asked. */
async function answers(bearer?: string): Promise<number[]> {
  const query = bearer === undefined ? '' : `&token=${bearer}`;
  const asked = Array.from({ length: 20 }, async () => {
    const { status } = await fetch(`${INGRESS_URL}/ws/a?explain=1${query}`);
    return status;
  });
  return [...new Set(await Promise.all(asked))];
}

/** Pods of the gateway whose container waits for its Secret. */
async function waiting(): Promise<string[]> {
  const { items } = await get('pods', '--selector', 'app.kubernetes.io/component=gateway');
  return items
    .filter(
      ({ status }: KubernetesObject) =>
        status.containerStatuses?.[0]?.state.waiting?.reason === 'CreateContainerConfigError',
    )
    .map(({ metadata }: KubernetesObject): string => metadata.name);
}

test('a Secret that comes late lets pods start when it is there, and not before', SLOW, async () => {
  const upgrade = install(VALUES);
  await eventually('a pod that waits for its Secret', async () => (await waiting()).length > 0);
  await write('first');
  await upgrade;
  await atRest();
  expect(await answers()).toEqual([401]);
  expect(await answers(token('first'))).toEqual([200]);
  expect(await helm('test', RELEASE, '--logs')).toContain('requests without a token or key are refused');
  saw('the Secret comes after `helm upgrade`', 'pods wait for it, start by themselves, and none was open');
});

test('a Secret that is deleted opens no pod, and none that is replaced comes up', SLOW, async () => {
  await kubectl('delete', `secret/${NAME}`);
  const [pod = ''] = await readyPodsOf('gateway');
  await kubectl('delete', `pod/${pod}`);
  await eventually('its successor to wait', async () => (await waiting()).length === 1);
  expect(await answers()).toEqual([401]);
  expect(await answers(token('first'))).toEqual([200]);
  await write('first');
  await atRest();
  expect(await answers()).toEqual([401]);
  saw('the Secret is deleted, and a pod replaced', 'nobody got in; the pod starts when the Secret is back');
});

test('a new content is taken by new pods, and helm test sees those that have not', SLOW, async () => {
  await write('second');
  expect(await answers(token('second'))).toEqual([401]);
  await expect(helm('test', RELEASE, '--logs')).rejects.toThrow(/rollout restart/);
  await kubectl('rollout', 'restart', `deployment/${RELEASE}`);
  await atRest();
  expect(await answers(token('first'))).toEqual([401]);
  expect(await answers(token('second'))).toEqual([200]);
  expect(await helm('test', RELEASE, '--logs')).toContain('requests without a token or key are refused');
  // What `rollout restart` wrote is no conflict.
  await install({ ...VALUES, 'settings.LOG_LEVEL': 'debug' });
});
