import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { sendCommand } from '../support/stack/redis-client.ts';
import { requireProgram } from '../../scripts/requirements.ts';
import { createCertificate } from '../support/certificate.ts';
import { find } from './helm.ts';
import { createPods, type RedisPods } from './redis/group.ts';
import { PASSWORDS } from './redis/pod.ts';
import { filesOf, NAME, renderRedis } from './redis.ts';

const LONG = { timeout: 120_000 };
const DOCS = new URL('../../docs/platform/redis.md', import.meta.url);

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'crosspod-chart-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

test('shellcheck has nothing to say about the rendered scripts', async () => {
  const files = filesOf(await renderRedis());
  const scripts = Object.keys(files).filter((name) => name.endsWith('.sh'));
  expect(scripts.toSorted()).toEqual([
    'addresses.sh',
    'health.sh',
    'lib.sh',
    'pre-stop.sh',
    'redis-start.sh',
    'remember.sh',
    'sentinel-start.sh',
  ]);
  const folder = temporaryFolder();
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const args = ['--shell=sh', '--external-sources', `--source-path=${folder}`, ...scripts, 'settings'];
  const { status, stdout, stderr } = spawnSync(requireProgram('shellcheck'), args, {
    cwd: folder,
    encoding: 'utf8',
  });
  expect(`${stdout}${stderr}`).toBe('');
  expect(status).toBe(0);
});

test('the user crosspod has the rights that the documentation names, behind the prefix', async () => {
  const line = /^user crosspod on >password (.*)$/m.exec(readFileSync(DOCS, 'utf8'))?.[1];
  expect(line).toContain('+evalsha');
  expect(filesOf(await renderRedis())['rights']?.trim()).toBe(line);
  const prefixed = await renderRedis({}, { settings: { REDIS_PREFIX: 'eu:' } });
  expect(filesOf(prefixed)['rights']?.trim()).toBe(line?.replaceAll(/([~&])/g, '$1eu:'));
});

test('a container goes on with the configuration that its pod began with', async () => {
  const [first] = find(await renderRedis(), 'StatefulSet', NAME)['spec'].template.spec.containers;
  const folder = temporaryFolder();
  const [mounted, CONFIG_DIR] = [join(folder, 'mounted'), join(folder, 'config')];
  mkdirSync(mounted);
  const says = (word: string): void =>
    writeFileSync(join(mounted, 'redis-start.sh'), `echo ${word}`, { mode: 0o555 });
  const start = (): string =>
    execFileSync('dash', ['-c', first.command[2].replace('/config/*', `${mounted}/*`)], {
      env: { ...process.env, CONFIG_DIR },
      encoding: 'utf8',
    });
  says('before');
  // A copy that was cut short.
  mkdirSync(`${CONFIG_DIR}.new`);
  writeFileSync(`${CONFIG_DIR}.new/redis-start.sh`, 'echo half', { mode: 0o444 });
  expect(start()).toBe('before\n');
  rmSync(mounted, { recursive: true });
  mkdirSync(mounted);
  says('after');
  expect(start()).toBe('before\n');
});

test('a password with a line break is refused, and not told', async () => {
  const [pod] = (await createPods()).pods;
  if (pod === undefined) throw new Error('there are three');
  const env: Record<string, string> = { ...pod.sentinel.environment, SENTINEL_PASSWORD: 'hunter2\n' };
  const { status, stderr } = spawnSync(
    'dash',
    [join(env['CONFIG_DIR'] ?? '', 'health.sh'), 'sentinel-live'],
    {
      env: { PATH: process.env['PATH'], ...env },
      encoding: 'utf8',
    },
  );
  expect(status).toBe(1);
  expect(stderr).toContain('a password in the Secret contains a line break');
  expect(stderr).not.toContain('hunter2');
});

async function startedPods(values: { tls?: object } = {}, tlsFolder?: string): Promise<RedisPods> {
  const group = await createPods(values, tlsFolder);
  await group.start();
  return group;
}

test(
  'the gateway gets in as crosspod and may touch nothing else; passwords are in files for the owner only',
  LONG,
  async () => {
    const [pod] = (await startedPods()).pods;
    if (pod === undefined) throw new Error('there are three');
    const gateway = { port: pod.redis.port, username: 'crosspod', password: PASSWORDS.CROSSPOD_PASSWORD };
    expect(await sendCommand(gateway, 'SET', 'realtime:x', '1')).toBe('OK');
    await expect(sendCommand(gateway, 'SET', 'x', '1')).rejects.toThrow('NOPERM');
    await expect(sendCommand(gateway, 'CONFIG', 'GET', '*')).rejects.toThrow('NOPERM');
    await expect(sendCommand({ port: pod.redis.port }, 'PING')).rejects.toThrow('NOAUTH');
    await expect(sendCommand({ port: pod.sentinel.port }, 'PING')).rejects.toThrow('NOAUTH');
    // As the Sentinels do after each failover.
    await pod.redis.command('CONFIG', 'REWRITE');
    for (const container of pod.containers) {
      const name = container === pod.redis ? 'redis.conf' : 'sentinel.conf';
      expect(statSync(join(container.folder, name)).mode & 0o777).toBe(0o600);
      const commandLine = readFileSync(`/proc/${container.pid}/cmdline`, 'utf8');
      expect(commandLine).toMatch(/redis-(server|sentinel)/);
      expect(Object.values(PASSWORDS).filter((password) => commandLine.includes(password))).toEqual([]);
    }
  },
);

test('a Redis that is writing its first append-only file ends when it is told to', LONG, async () => {
  const [, replica] = (await startedPods()).pods;
  if (replica === undefined) throw new Error('there are three');
  await replica.redis.command('CONFIG', 'SET', 'rdb-key-save-delay', '60000000');
  await replica.redis.command('CONFIG', 'SET', 'appendonly', 'no');
  await replica.redis.command('CONFIG', 'SET', 'appendonly', 'yes');
  expect(String(await replica.redis.command('INFO', 'persistence'))).toContain('aof_rewrite_in_progress:1');
  expect(await replica.redis.stop()).toEqual({ code: 0, signal: null });
});

test('with TLS a group forms, and nobody gets in without', LONG, async () => {
  const { cert, key, ca } = createCertificate();
  const folder = temporaryFolder();
  copyFileSync(cert, join(folder, 'tls.crt'));
  copyFileSync(key, join(folder, 'tls.key'));
  copyFileSync(ca, join(folder, 'ca.crt'));
  const group = await startedPods({ tls: { enabled: true, existingSecret: 'certificate' } }, folder);
  for (const { port } of group.pods.flatMap(({ containers }) => containers))
    await expect(sendCommand({ port }, 'PING')).rejects.toThrow('Connection is closed');
  const old = await group.settled();
  expect(await old.redis.run('pre-stop.sh')).toBe(0);
  await old.redis.stop();
  expect(await group.masterOtherThan(old)).not.toBe(old);
  old.redis.launch();
  await group.settled();
  expect(await old.role()).toBe('slave');
});

/** A server that lets everybody in and answers this to everything. */
async function answering(answer: string): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (data) => socket.write(data.includes('AUTH') ? '+OK\r\n' : answer));
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

test.each([
  ['+PONG\r\n', [0, 0]],
  ['-LOADING Redis is loading the dataset in memory\r\n', [0, 1]],
  ['-NOAUTH Authentication required.\r\n', [1, 1]],
])('to a Redis that answers %j the probes of life and readiness say %j', async (answer, expected) => {
  const [pod] = (await createPods({}, undefined, await answering(answer))).pods;
  const codes = [
    await pod?.redis.run('health.sh', 'redis-live'),
    await pod?.redis.run('health.sh', 'redis-ready'),
  ];
  expect(codes).toEqual(expected);
});

test('a Redis or Sentinel that does not answer is neither alive nor ready', async () => {
  const [pod] = (await createPods()).pods;
  const probes = ['redis-live', 'redis-ready', 'sentinel-live', 'sentinel-ready'];
  for (const probe of probes) expect(await pod?.redis.run('health.sh', probe)).toBeGreaterThan(0);
});
