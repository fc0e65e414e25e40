import { describe, expect, onTestFinished, test } from 'vitest';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { type Client, open, part, refused, until } from '../support/client.ts';
import { type Pod, startPod } from '../support/pod.ts';
import { existsSync, readFileSync } from 'node:fs';
import { freePort } from '../support/ports.ts';
import { once } from 'node:events';
import { requireProgram } from '../../scripts/requirements.ts';

const ORIGIN = 'http://localhost:3000';

/** The examples that decide; their README says how a pod is started for them. */
const EXAMPLES = [
  {
    language: 'Node',
    folder: 'examples/deciding-node',
    script: 'backend.ts',
    program: () => process.execPath,
  },
  { language: 'Python', folder: 'examples/deciding-python', script: 'backend.py', program: python },
];

/** A Python with FastAPI; installed once, where the requirements say. */
function python(): string {
  const home = 'node_modules/.cache/deciding-python';
  const program = `${home}/bin/python`;
  if (!existsSync(`${home}/bin/uvicorn`)) {
    run(requireProgram('python3'), '-m', 'venv', home);
    run(program, '-m', 'pip', 'install', '-q', '-r', 'examples/deciding-python/requirements.txt');
  }
  return program;
}

function run(program: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
}

interface World {
  readonly pod: Pod;
  readonly url: string;
}

async function startWorld(folder: string, script: string, program: string): Promise<World> {
  const url = `http://127.0.0.1:${await freePort()}`;
  const settings = settingsOf(`${folder}/README.md`);
  const pod = await startPod({ ...settings, BACKEND_URL: `${url}/decide` });
  onTestFinished(async () => void (await pod.kill()));
  const env = { PORT: new URL(url).port, BACKEND_SECRET: settings['BACKEND_SECRET'] ?? '' };
  const backend = spawn(program, [`${folder}/${script}`], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  onTestFinished(() => end(backend));
  await until('the backend listens', () =>
    fetch(`${url}/login?user=x`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  return { pod, url };
}

async function end(backend: ChildProcess): Promise<void> {
  const exit = once(backend, 'exit');
  if (backend.kill('SIGKILL')) await exit;
}

/** The settings of the README's first command. */
function settingsOf(path: string): Record<string, string> {
  const [, line = ''] = /```sh\n *(.*)\n/.exec(readFileSync(path, 'utf8')) ?? [];
  return Object.fromEntries(
    [...line.matchAll(/(\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]),
  );
}

async function connect({ pod, url }: World, user: string, path: string): Promise<Client> {
  const [cookie = ''] = (await fetch(`${url}/login?user=${user}`)).headers.getSetCookie();
  return open(pod, path, { headers: { Origin: ORIGIN, Cookie: cookie.split(';')[0] ?? '' } });
}

describe.each(EXAMPLES)('The backend that decides, in $language', ({ folder, script, program }) => {
  test('lets members in by their session, moderates, and answers a call', { timeout: 180_000 }, async () => {
    const world = await startWorld(folder, script, program());
    const answer = await refused(world.pod, '/ws/team', { Origin: ORIGIN });
    expect(answer).toMatchObject({ status: 403, body: { code: 'logged_out' } });
    const alice = await connect(world, 'alice', '/ws/team');
    expect(part(await alice.next({ event: 'connected' }), 'data')).toMatchObject({ user_id: 'alice' });
    expect(part(await alice.next({ event: 'joined' }), 'data')).toMatchObject({
      members: [{ meta: { name: 'Alice' } }],
    });
    const carol = await connect(world, 'carol', '/ws?dialect=message');
    carol.send({ type: 'join', room: 'team', ref: '1' });
    await carol.next({
      type: 'error',
      ref: '1',
      data: { code: 'forbidden', error: 'you are no member of team' },
    });
    alice.send({ type: 'chat', room: 'team', data: 'buy followers', ref: '1' });
    alice.send({ type: 'chat', room: 'team', data: 'what the heck', ref: '2' });
    expect(await alice.next({ type: 'ack', ref: '1' })).not.toHaveProperty('id');
    expect(await alice.next({ type: 'chat' })).toMatchObject({ data: 'what the ****' });
    alice.send({ type: 'call', method: 'my-rooms', ref: '3' });
    await alice.next({ type: 'result', ref: '3', data: ['team'] });
    alice.send({ type: 'call', method: 'nonsense', ref: '4' });
    await alice.next({ type: 'error', ref: '4', data: { code: 'unknown_method' } });
  });
});
