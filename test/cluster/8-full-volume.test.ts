import { afterAll, beforeAll, expect, test } from 'vitest';
import { get, INGRESS_URL, kubectl, kubectlWith, NAMESPACE, podsOf } from './cluster.ts';
import { onNode } from './on-node.ts';
import { eventually } from './patience.ts';
import { atRest, image, install, masterPod, uninstall } from './release.ts';
import { saw, secondsSince } from './report.ts';
import { talkThrough } from './talkers.ts';

const SLOW = { timeout: 600_000 };
const CLASS = 'crosspod-small';
const HOLDER = 'small-disks';
const MEBIBYTES = 64;

/** A pod whose volumes are disks of their own, in memory: a StorageClass of folders has as much room as its node. */
function holder(): object {
  const disks = [0, 1, 2].map((n) => `disk-${n}`);
  const container = {
    name: HOLDER,
    image: image(),
    command: ['sleep', 'infinity'],
    volumeMounts: disks.map((name) => ({ name, mountPath: `/${name}` })),
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: HOLDER, namespace: NAMESPACE },
    spec: {
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      containers: [container],
      volumes: disks.map((name) => ({ name, emptyDir: { medium: 'Memory', sizeLimit: `${MEBIBYTES}Mi` } })),
    },
  };
}

/** The folder in which the kubelet has the volumes of the pod with that UID. */
const FIND = `
const { readdirSync, readFileSync } = require('node:fs');
const read = (pid) => { try { return readFileSync('/proc/' + pid + '/mountinfo', 'utf8'); } catch { return ''; } };
const folder = new RegExp(' (/[^ ]*/' + process.argv.at(-1) + '/volumes/kubernetes.io~empty-dir/)disk-0 ');
for (const pid of readdirSync('/proc').filter((name) => /^\\d+$/.test(name))) {
  const found = folder.exec(read(pid));
  if (found !== null) { console.log(found[1]); break; }
}
`;

function volume(n: number, node: string, folder: string): object {
  const required = { key: 'kubernetes.io/hostname', operator: 'In', values: [node] };
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: `${CLASS}-${n}`, labels: { 'crosspod-test': CLASS } },
    spec: {
      capacity: { storage: `${MEBIBYTES}Mi` },
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Retain',
      storageClassName: CLASS,
      local: { path: `${folder}disk-${n}` },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [required] }] } },
    },
  };
}

async function removeVolumes(): Promise<void> {
  await uninstall();
  await kubectl('delete', 'persistentvolume', `--selector=crosspod-test=${CLASS}`);
}

beforeAll(async () => {
  await removeVolumes();
  await kubectlWith(holder(), 'create', '--filename', '-');
  await kubectl('wait', `pod/${HOLDER}`, '--for=condition=Ready', '--timeout=3m');
  const { metadata, spec } = await get(`pod/${HOLDER}`);
  const folder = (await onNode(spec.nodeName, FIND, metadata.uid)).trim();
  if (folder === '') throw new Error(`no process of ${spec.nodeName} sees the volumes of ${HOLDER}`);
  for (const n of [0, 1, 2])
    await kubectlWith(volume(n, spec.nodeName, folder), 'apply', '--server-side', '--filename', '-');
  await install({
    'redis.maxmemory': '16mb',
    'redis.persistence.storageClass': CLASS,
    'redis.persistence.size': `${MEBIBYTES}Mi`,
  });
  await atRest();
});

afterAll(removeVolumes);

async function sh(pod: string, script: string): Promise<string> {
  return kubectl('exec', pod, '--container=redis', '--', 'sh', '-c', script);
}

/** Takes what is left on the volume; what Redis gives free while it does so as well. */
async function fill(pod: string): Promise<void> {
  await sh(pod, 'cat /dev/zero >/data/fill 2>/dev/null; cat /dev/zero >/data/fill2 2>/dev/null; true');
}

async function replication(pod: string): Promise<string> {
  return sh(pod, 'REDISCLI_AUTH="$REPLICATION_PASSWORD" redis-cli INFO replication');
}

/** What somebody who publishes is answered; nothing where nobody answers within five seconds. */
async function published(): Promise<{ id?: string; provisional?: boolean }> {
  const answer = await fetch(`${INGRESS_URL}/api/rooms/full/messages`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ data: 'full' }),
    signal: AbortSignal.timeout(5_000),
  });
  return (await answer.json()) as { id?: string; provisional?: boolean };
}

async function isWell(): Promise<boolean> {
  const { id, provisional } = await published();
  return id !== undefined && provisional === undefined;
}

test('the volume of the Redis master is full until there is room', SLOW, async () => {
  const master = await masterPod();
  await talkThrough('the volume of the Redis master is full for a while', async () => {
    await fill(master);
    await eventually('publications to wait', async () => !(await isWell()));
    expect(await masterPod()).toBe(master);
    await sh(master, 'rm /data/fill /data/fill2');
    await eventually('publications to be kept again', isWell);
  });
  expect(await masterPod()).toBe(master);
});

test('the pod of a Redis master whose volume is full is deleted: another one takes over', SLOW, async () => {
  const master = await masterPod();
  let start = 0;
  await talkThrough('the volume of the Redis master is full, and its pod deleted', async () => {
    await fill(master);
    await eventually('publications to wait', async () => !(await isWell()));
    start = performance.now();
    await kubectl('delete', `pod/${master}`, '--wait=false');
    await eventually('publications to be kept again', isWell);
    saw('… from its deletion to publications that are kept', secondsSince(start));
    // It comes back, as full as it is, and has room as soon as somebody makes it.
    const isBack = async (): Promise<boolean> => (await podsOf('redis')).length === 3;
    await eventually('the pod to run again', isBack, () => kubectl('get', 'pods'));
    await eventually('it to be a replica', async () => (await replication(master)).includes('role:slave'));
    expect(await replication(master)).toContain('master_link_status:down');
    // What there was no room for is not left behind again and again.
    expect(await sh(master, 'ls /data')).not.toMatch(/(addresses|last-master)\./);
    await sh(master, 'rm -f /data/fill /data/fill2');
    await eventually('it to be in sync', async () =>
      (await replication(master)).includes('master_link_status:up'),
    );
  });
  expect(await masterPod()).not.toBe(master);
});
