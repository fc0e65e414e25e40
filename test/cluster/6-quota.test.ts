import { afterAll, expect, test } from 'vitest';
import { helm, kubectl, kubectlWith, NAMESPACE, RELEASE } from './cluster.ts';
import { eventually } from './patience.ts';
import { atRest, install } from './release.ts';
import { saw } from './report.ts';
import { talkThrough } from './talkers.ts';

const SLOW = { timeout: 600_000 };
const QUOTA = 'cpu';
/** Two gateways, and three pods of Redis with what values.yaml gives them. */
const ALL = 2 * 1 + 3 * 1.5;
/** Under a quota of limits.cpu each container needs a limit; only the gateway has none here. */
const LIMITED = { 'resources.limits.cpu': 1 };

afterAll(async () => {
  await kubectl('delete', `resourcequota/${QUOTA}`, '--ignore-not-found');
  await install();
  await atRest();
});

async function allow(cpu: number): Promise<void> {
  const spec = { hard: { 'limits.cpu': `${1_000 * cpu}m` } };
  const metadata = { name: QUOTA, namespace: NAMESPACE };
  const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata, spec };
  await kubectlWith(quota, 'apply', '--server-side', '--filename', '-');
}

/** Waits until the ReplicaSet says why it makes no pod. */
async function refused(why: string): Promise<void> {
  const events = ['get', 'events', '--field-selector=reason=FailedCreate'];
  await eventually(`no pod, as ${why}`, async () => (await kubectl(...events)).includes(why));
}

test('under a quota on limits.cpu no pod without limits is made and the old ones stay', SLOW, async () => {
  await install();
  await talkThrough(
    'a quota on limits.cpu: an upgrade without limits, which fails, and one with',
    async () => {
      await allow(ALL + 1);
      const upgrade = install({ 'settings.LOG_LEVEL': 'debug' }, '--timeout', '20s').then(() => '', String);
      await refused('must specify limits.cpu');
      expect(await upgrade).not.toBe('');
      await install(LIMITED);
    },
  );
  expect(await helm('test', RELEASE, '--logs')).toContain('published over HTTP');
});

test('a quota without room for one more pod holds an upgrade up until there is', SLOW, async () => {
  await install(LIMITED);
  await allow(ALL);
  const upgrade = install({ ...LIMITED, 'settings.LOG_LEVEL': 'debug' });
  await refused('exceeded quota');
  await allow(ALL + 1);
  await upgrade;
  await atRest();
  saw('a quota without room for one more pod', 'the old ones serve until there is');
});
