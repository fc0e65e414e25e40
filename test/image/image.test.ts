import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { fresh, member } from '../integration/people.ts';
import { open, refused } from '../support/client.ts';
import { type PodProcess, startPodProcess } from '../support/stack/pods.ts';
import { startNats } from '../support/stack/nats-server.ts';
import { type RedisServer, startRedis } from '../support/stack/redis-server.ts';
import { recordModules } from '../telemetry/programs.ts';
import { ImageFolder, ROOT } from './folder.ts';

// No container is started: these tests start what the image starts, in a folder with what the image has.

const folder = new ImageFolder();
let redis: RedisServer;
/** What the image starts, and `npm start`, on one Redis. */
let image: PodProcess;
let sources: PodProcess;

beforeAll(async () => {
  await folder.fill();
  redis = await startRedis();
  [image, sources] = await Promise.all([
    startImage('image', redis.env),
    startPodProcess('sources', redis.env),
  ]);
});

afterAll(async () => {
  await Promise.all([image, sources, redis].map((part) => part.discard()));
  folder.discard();
});

function startImage(name: string, env: Readonly<Record<string, string>>): Promise<PodProcess> {
  return startPodProcess(name, { NODE_COMPILE_CACHE: folder.cache, ...env }, folder.main);
}

/** A pod of the image until the test ends. */
async function imagePod(env: Readonly<Record<string, string>>): Promise<PodProcess> {
  const pod = await startImage('image', env);
  onTestFinished(() => pod.discard());
  return pod;
}

async function hooksModule(text: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'crosspod-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const path = join(directory, 'hooks.ts');
  await writeFile(path, text);
  return path;
}

test.each([
  '/openapi.json',
  '/asyncapi.json',
  '/',
  '/playground',
  '/assets/web/chat.ts',
  '/assets/web/chat.css',
  '/assets/client/client.ts',
  '/assets/protocol/names.ts',
])('%s is the same from the image as from the sources', async (path) => {
  const [ofImage, ofSources] = await Promise.all(
    [image, sources].map(async ({ url }) => {
      const answer = await fetch(`${url}${path}`);
      return { status: answer.status, type: answer.headers.get('Content-Type'), body: await answer.text() };
    }),
  );
  expect(ofImage?.status).toBe(200);
  expect(ofImage).toEqual(ofSources);
});

test('a message goes from a pod of the image to one of the sources and back, through Redis', async () => {
  const room = fresh();
  const [one, two] = [await member(image, room, 'one'), await member(sources, room, 'two')];
  one.send({ type: 'chat', data: { text: 'from the image' } });
  await two.next({ type: 'chat', data: { text: 'from the image' } });
  two.send({ type: 'chat', data: { text: 'from the sources' } });
  await one.next({ type: 'chat', data: { text: 'from the sources' } });
});

test('a message goes through NATS', async () => {
  const nats = await startNats();
  onTestFinished(() => nats.discard());
  const pod = await imagePod(nats.env);
  const room = fresh();
  const [one, two] = [await member(pod, room, 'one'), await member(pod, room, 'two')];
  one.send({ type: 'chat', data: 'through NATS' });
  await two.next({ type: 'chat', data: 'through NATS' });
});

test.each(['/livez', '/readyz', '/metrics'])('%s answers', async (path) => {
  const answer = await fetch(`${image.opsUrl}${path}`);
  expect(answer.status).toBe(200);
});

test('a hook decides, and a stack in the log names the line of the source', async () => {
  const path = await hooksModule(`
    export function onConnect({ userId }: { userId: string }): void {
      if (userId === 'fault') throw new TypeError('a fault of the hook');
    }`);
  const pod = await imagePod({ HOOKS_MODULE: path });
  await open(pod, '/ws?user_id=friend');
  await refused(pod, '/ws?user_id=fault');
  const logged = (): string | undefined =>
    pod
      .output()
      .split('\n')
      .find((line) => line.includes('"hook":"onConnect"'));
  await expect.poll(logged).toBeDefined();
  const { reason, at } = JSON.parse(logged() ?? '{}') as { reason: string; at: string[] };
  expect(reason).toBe('threw TypeError');
  expect(at[0]).toMatch(/^at onConnect \(.*\/hooks\.ts:3:/);
  expect(at.join()).not.toContain('/dist/');
  const line = /\/src\/hooks\/runner\.ts:(\d+):\d+/.exec(at.join())?.[1];
  const source = readFileSync(join(ROOT, 'src/hooks/runner.ts'), 'utf8').split('\n');
  expect(source[Number(line) - 1]).toContain('onConnect(');
});

test('errors at the start are those of the sources', async () => {
  await expect(imagePod({ HOOKS_MODULE: '/missing.ts' })).rejects.toThrow(
    /crosspod cannot start:\n.*HOOKS_MODULE: "\/missing\.ts" is not valid/,
  );
  await expect(imagePod({ JWKS_FILE: '/missing.json' })).rejects.toThrow(/crosspod cannot start:\nJWKS_FILE/);
});

test('what instrumentations of OpenTelemetry change is no part of the bundle', async () => {
  const { env, modules } = recordModules();
  await imagePod({ ...redis.env, ...env, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' });
  const loaded = new Set(
    modules().flatMap((url) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? []),
  );
  for (const name of ['ioredis', 'pino', '@opentelemetry/api', '@opentelemetry/sdk-node'])
    expect(loaded).toContain(name);
  for (const name of ['hono', 'zod', 'jose', 'ws']) expect(loaded).not.toContain(name);
});

test('the command checks a file of rules', async () => {
  const { promise, resolve } = Promise.withResolvers<[number, string]>();
  const [, name = ''] =
    /\/app\/(dist\/\S+\.js)/.exec(readFileSync(join(ROOT, 'scripts/crosspod'), 'utf8')) ?? [];
  const child = spawn(process.execPath, [join(folder.path, name), 'rules', 'check', '-'], {
    cwd: folder.path,
    env: {},
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  child.stdin.end('rooms:\n  - match: "news-*"\n    histori: { size: 5 }\n');
  const said = text(child.stderr);
  child.once('exit', (code) => void said.then((lines) => resolve([code ?? 0, lines])));
  expect(await promise).toEqual([
    1,
    expect.stringContaining('standard input, line 3: rule 1: the key "histori"'),
  ]);
});

test('a pod obeys a file of rules', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'crosspod-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const path = join(directory, 'rooms.yaml');
  await writeFile(path, 'rooms: [{match: "news-*", publish: nobody}]');
  const pod = await imagePod({ ROOMS_FILE: path });
  const metrics = await (await fetch(`${pod.opsUrl}/metrics`)).text();
  expect(metrics).toMatch(/^realtime_rules 1$/m);
  const [ofImage, ofSources] = await Promise.all(
    [pod, sources].map(async ({ opsUrl }) => (await fetch(`${opsUrl}/rules.schema.json`)).text()),
  );
  expect(ofImage).toBe(ofSources);
});

describe('the compile cache', () => {
  test.each(['--max-semi-space-size=8', '--max-old-space-size=400'])(
    'has what a pod loads, with %s',
    async (flag) => {
      const pod = await imagePod({ ...redis.env, NODE_OPTIONS: flag, NODE_DEBUG_NATIVE: 'COMPILE_CACHE' });
      const accepted = pod
        .output()
        .split('\n')
        .filter((line) => line.includes('was accepted'))
        .map((line) => /\S+\.js/.exec(line)?.[0]);
      expect(accepted).toContain(new URL(`file://${folder.main}`).href);
      expect(accepted).toContain(new URL('packages.js', `file://${folder.main}`).href);
      expect(accepted).toContain(new URL('redis.js', `file://${folder.main}`).href);
    },
  );
});

describe('the Dockerfile', () => {
  const stages = readFileSync(join(ROOT, 'Dockerfile'), 'utf8').split(/^FROM /m);
  const scripts = ['build-server', 'bundle-entry', 'fill-compile-cache', 'source-lines', 'source-stacks'];

  test('starts the bundle with the flags of npm start', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      scripts: { start: string };
    };
    const [, command = '[]'] = /^CMD (.*)$/m.exec(stages.at(-1) ?? '') ?? [];
    expect(JSON.parse(command)).toEqual(scripts.start.replace('src/main.ts', 'dist/main.js').split(' '));
  });

  test('can copy the scripts that it runs', () => {
    const ignored = readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n');
    const files = ['crosspod', ...scripts.map((name) => `${name}.ts`)];
    expect(ignored.filter((line) => line.startsWith('!scripts/')).toSorted()).toEqual(
      files.map((name) => `!scripts/${name}`).toSorted(),
    );
  });
});
