import { afterAll, beforeAll, expect, test } from 'vitest';
import { get, helm, kubectl, readyPodsOf, RELEASE } from './cluster.ts';
import { eventually } from './patience.ts';
import { atRest, install, settingOf } from './release.ts';
import { saw } from './report.ts';

const SLOW = { timeout: 600_000 };
const OFF = { 'autoscaling.enabled': 'false' };

beforeAll(() => install({ 'autoscaling.minReplicas': 4 }));

afterAll(async () => {
  await install({}, '--force-conflicts');
  await atRest();
});

async function wanted(): Promise<number> {
  return (await get(`deployment/${RELEASE}`)).spec.replicas;
}

async function scale(pods: number): Promise<void> {
  await kubectl('scale', `deployment/${RELEASE}`, `--replicas=${pods}`);
  await eventually(`${pods} pods`, async () => (await readyPodsOf('gateway')).length === pods);
}

/** How the upgrade ends: an error's text, or nothing where it succeeds. */
async function outcome(values: Readonly<Record<string, string | number>>): Promise<string> {
  return install(values).then(() => '', String);
}

/** The last good revision, by the rule of docs/platform/upgrades.md. */
async function deployedRevision(): Promise<string> {
  const history = JSON.parse(await helm('history', RELEASE, '--output', 'json'));
  return String(history.find((one: { status: string }) => one.status === 'deployed').revision);
}

test('turning the autoscaler off keeps the pods that run, and so does turning it on', SLOW, async () => {
  await eventually('four pods', async () => (await readyPodsOf('gateway')).length === 4);
  await install(OFF);
  expect(await wanted()).toBe(4);
  await install({ ...OFF, replicaCount: 4, 'settings.LOG_LEVEL': 'debug' });
  expect(await wanted()).toBe(4);
  await install({ 'autoscaling.minReplicas': 4 });
  expect(await wanted()).toBe(4);
  await install({ 'autoscaling.minReplicas': 4, 'settings.LOG_LEVEL': 'debug' });
  expect(await wanted()).toBe(4);
  saw('autoscaler off, and on again', '4 pods, 4 pods, 4 pods');
});

test('after kubectl scale an upgrade fails whole, and what runs keeps its settings', SLOW, async () => {
  await install({ ...OFF, replicaCount: 4, 'settings.LOG_LEVEL': 'info' });
  await scale(3);
  expect(await outcome({ ...OFF, replicaCount: 2, 'settings.LOG_LEVEL': 'warn' })).toContain(
    '.spec.replicas',
  );
  expect(await outcome({ ...OFF, replicaCount: 2, 'settings.LOG_LEVEL': 'error' })).toContain(
    '.spec.replicas',
  );
  const [pod = ''] = await readyPodsOf('gateway');
  await kubectl('delete', `pod/${pod}`);
  await atRest();
  for (const one of await readyPodsOf('gateway'))
    expect(await kubectl('exec', one, '--', 'printenv', 'LOG_LEVEL')).toBe('info\n');
  await helm('rollback', RELEASE, await deployedRevision(), '--force-conflicts', '--wait', '--timeout', '5m');
  expect(await settingOf('LOG_LEVEL')).toBe('info');
  expect(await wanted()).toBe(4);
  saw('`kubectl scale`, two upgrades that fail, `helm rollback` to the last good one', 'settings as before');
});

test(
  'kubectl scale is no conflict where the values say the same, nor with --force-conflicts',
  SLOW,
  async () => {
    await scale(3);
    await install({ ...OFF, replicaCount: 3, 'settings.LOG_LEVEL': 'debug' });
    expect([await wanted(), await settingOf('LOG_LEVEL')]).toEqual([3, 'debug']);
    await install({ ...OFF, replicaCount: 2 }, '--force-conflicts');
    expect(await wanted()).toBe(2);
  },
);

test('what kubectl changed in the pods is taken back with --force-conflicts', SLOW, async () => {
  await kubectl('set', 'env', `deployment/${RELEASE}`, 'DRAIN_WINDOW_SECONDS=11');
  await atRest();
  const values = { ...OFF, replicaCount: 2, 'drain.windowSeconds': 12 };
  expect(await outcome(values)).toMatch(/conflict/);
  await install(values, '--force-conflicts');
  expect(await settingOf('DRAIN_WINDOW_SECONDS')).toBe('12');
});
