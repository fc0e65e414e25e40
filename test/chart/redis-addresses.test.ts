import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { requireProgram } from '../../scripts/requirements.ts';
import { find } from './helm.ts';
import { filesOf, NAME, renderRedis } from './redis.ts';

interface Pod {
  readonly env: NodeJS.ProcessEnv;
  readonly script: string;
  readonly hosts: string;
  readonly known: string;
}

/** A pod before its containers start; its peers have these names. */
async function podAmong(...names: readonly string[]): Promise<Pod> {
  requireProgram('redis-server');
  const folder = mkdtempSync(join(tmpdir(), 'crosspod-addresses-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [config, data, hosts] = [join(folder, 'config'), join(folder, 'data'), join(folder, 'hosts')];
  for (const inner of [config, data]) mkdirSync(inner);
  const peers = names.map((name, ordinal) => `${ordinal} ${name} 6379 26379 id\n`).join('');
  for (const [name, text] of Object.entries({ ...filesOf(await renderRedis()), peers }))
    writeFileSync(join(config, name), text);
  const env = { ...process.env, POD_NAME: `${NAME}-0`, CONFIG_DIR: config, DATA_DIR: data, HOSTS: hosts };
  return { env, script: join(config, 'addresses.sh'), hosts, known: join(data, 'addresses') };
}

function linesOf(file: string): string[] {
  return readFileSync(file, 'utf8').trim().split('\n');
}

test('the hosts file has the address of each pod’s Service, and what was in it before', async () => {
  const pod = await podAmong('127.0.0.21', 'localhost');
  const { status, stderr } = spawnSync('dash', [pod.script], {
    env: pod.env,
    encoding: 'utf8',
    timeout: 30_000,
  });
  expect([status, stderr]).toEqual([0, '']);
  const found = [
    expect.stringMatching(/^127\.0\.0\.21 127\.0\.0\.21$/),
    expect.stringMatching(/^(127\.0\.0\.1|::1) localhost$/),
  ];
  expect(linesOf(pod.known)).toEqual(found);
  expect(linesOf(pod.hosts)).toEqual([...linesOf('/etc/hosts'), ...found]);
});

test('a pod that is replaced while DNS is away starts with what its volume has, and keeps that', async () => {
  const pod = await podAmong('redis-0.invalid', 'redis-1.invalid');
  const known = ['10.96.0.10 redis-0.invalid', '10.96.0.11 redis-1.invalid'];
  writeFileSync(pod.known, `${known.join('\n')}\n`);
  const { status } = spawnSync('dash', [pod.script], { env: pod.env, encoding: 'utf8', timeout: 30_000 });
  expect(status).toBe(0);
  expect(linesOf(pod.known)).toEqual(known);
  expect(linesOf(pod.hosts).slice(-2)).toEqual(known);
});

test('a pod whose volume is full starts all the same, and says so', async () => {
  const pod = await podAmong('127.0.0.21');
  // Nothing can be written there.
  const env = { ...pod.env, DATA_DIR: '/proc/self' };
  const { status, stderr } = spawnSync('dash', [pod.script], { env, encoding: 'utf8', timeout: 30_000 });
  expect([status, stderr]).toEqual([0, expect.stringContaining('the volume may be full')]);
  expect(linesOf(pod.hosts).at(-1)).toBe('127.0.0.21 127.0.0.21');
});

test('who the master is stays on a volume that is full, and no piece of a file comes beside it', async () => {
  const pod = await podAmong('127.0.0.21');
  const data = dirname(pod.known);
  writeFileSync(join(data, 'last-master'), '2 0\n');
  // Files can be made there, and nothing be written into them.
  const full = "trap '' XFSZ; ulimit -f 0";
  const script = `${full}; . "$CONFIG_DIR/lib.sh"; if remember 3 0; then exit 1; fi; exit 0`;
  const { status, stderr } = spawnSync('dash', ['-c', script], { env: pod.env, encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
  expect(readdirSync(data)).toEqual(['last-master']);
  expect(linesOf(join(data, 'last-master'))).toEqual(['2 0']);
});

test('a pod that knows no address yet waits for DNS, says so, and can be told to end', async () => {
  const pod = await podAmong('localhost', 'redis-1.invalid');
  const waiting = spawn('dash', [pod.script], { env: pod.env, stdio: ['ignore', 'ignore', 'pipe'] });
  const [said] = await once(waiting.stderr, 'data');
  expect(String(said)).toContain('waiting for DNS');
  expect(existsSync(pod.hosts)).toBe(false);
  waiting.kill();
  const [code] = await once(waiting, 'close');
  expect(code).toBe(143);
});

test('Redis and Sentinel look no name of the group up in DNS, give up soon on others, and outlast its absence', async () => {
  const { spec } = find(await renderRedis(), 'StatefulSet', NAME)['spec'].template;
  const [first, ...others] = spec.initContainers;
  expect(others).toEqual([]);
  expect(first).toMatchObject({ name: 'addresses', command: ['/bin/sh', '/config/addresses.sh'] });
  expect(first.volumeMounts).toContainEqual({ name: 'hosts', mountPath: '/hosts' });
  expect(first.env).toContainEqual({ name: 'HOSTS', value: '/hosts/hosts' });
  expect(spec.dnsConfig).toEqual({
    options: [
      { name: 'timeout', value: '1' },
      { name: 'attempts', value: '2' },
    ],
  });
  for (const { volumeMounts, livenessProbe } of spec.containers) {
    expect(volumeMounts).toContainEqual({
      name: 'hosts',
      mountPath: '/etc/hosts',
      subPath: 'hosts',
      readOnly: true,
    });
    expect(livenessProbe.periodSeconds * livenessProbe.failureThreshold).toBeGreaterThanOrEqual(180);
  }
});
