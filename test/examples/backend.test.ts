import { describe, expect, onTestFinished, test } from 'vitest';
import { type ChildProcess, spawn } from 'node:child_process';
import { Crosspod } from '../../src/client/client.ts';
import { createHmac } from 'node:crypto';
import { freePort } from '../support/ports.ts';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { requireProgram } from '../../scripts/requirements.ts';
import { type Pod, startPod } from '../support/pod.ts';
import { until } from '../support/client.ts';

const EXAMPLES = [
  { language: 'Node', folder: 'examples/backend-node', program: () => process.execPath },
  { language: 'Python', folder: 'examples/backend-python', program: () => requireProgram('python3') },
];

interface Orders {
  paid: { order: number };
}

/** A pod and the example, started with the settings of the README's commands. */
class World {
  readonly pod: Pod;
  readonly url: string;
  readonly webhookSecret: string;
  #printed = '';

  constructor(pod: Pod, url: string, webhookSecret: string, backend: ChildProcess) {
    this.pod = pod;
    this.url = url;
    this.webhookSecret = webhookSecret;
    backend.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#printed += text));
  }

  get lines(): string[] {
    return this.#printed.split('\n').slice(0, -1);
  }

  async token(user: string): Promise<string> {
    const answer = await fetch(`${this.url}/token?user=${user}`);
    if (!answer.ok) throw new Error(`the backend answered ${answer.status}`);
    return answer.text();
  }

  order(body: string): Promise<Response> {
    return fetch(`${this.url}/orders`, { method: 'POST', body });
  }

  /** Posts a webhook request as a pod does and returns the status. */
  async webhook(id: string, secret = this.webhookSecret, ageSeconds = 0): Promise<number> {
    const timestamp = String(Math.floor(Date.now() / 1_000) - ageSeconds);
    const body = JSON.stringify({ events: [{ id, type: 'member_left', room: 'test', user_id: id }] });
    const signature = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
    const headers = { 'X-Crosspod-Timestamp': timestamp, 'X-Crosspod-Signature': `sha256=${signature}` };
    return (await fetch(`${this.url}/webhook`, { method: 'POST', body, headers })).status;
  }
}

async function startWorld(folder: string, program: string): Promise<World> {
  const [podCommand, backendCommand] = commandsOf(`${folder}/README.md`);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const pod = await startPod({ ...podCommand.env, WEBHOOK_URL: `${url}/webhook` });
  onTestFinished(async () => void (await pod.kill()));
  const env = { ...backendCommand.env, PORT: String(port), GATEWAY_URL: pod.url };
  const backend = spawn(program, [backendCommand.script], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(async () => {
    const exit = once(backend, 'exit');
    if (backend.kill('SIGKILL')) await exit;
  });
  const world = new World(pod, url, backendCommand.env['WEBHOOK_SECRET'] ?? '', backend);
  await until('the backend listens', () => world.lines.includes(`listening on port ${port}`));
  return world;
}

interface Command {
  readonly env: Readonly<Record<string, string>>;
  /** The last word of the command. */
  readonly script: string;
}

/** The settings and the script of the README's first two commands. */
function commandsOf(path: string): readonly [pod: Command, backend: Command] {
  const [pod, backend] = [...readFileSync(path, 'utf8').matchAll(/```sh\n *(.*)\n/g)].map(
    ([, line = '']) => ({
      env: Object.fromEntries([...line.matchAll(/(\w+)=(\S+)/g)].map(([, name, value]) => [name, value])),
      script: line.split(' ').at(-1) ?? '',
    }),
  );
  if (pod === undefined || backend === undefined) throw new Error(`${path} has no two commands`);
  return [pod, backend];
}

function connect({ pod }: World, getToken: () => Promise<string>): Crosspod<Orders> {
  const client = new Crosspod<Orders>(`${pod.wsUrl}/ws`, { getToken });
  onTestFinished(() => client.close());
  return client;
}

describe.each(EXAMPLES)('The backend in $language', ({ folder, program }) => {
  test('issues a token, publishes, and receives the webhook', async () => {
    const world = await startWorld(folder, program());
    const client = connect(world, () => world.token('alice'));
    const room = client.room<Orders>('orders');
    const paid = new Promise((resolve) => room.on('paid', resolve));
    await room.join();
    expect(client.userId).toBe('alice');

    const { id } = (await (await world.order('{"order":42}')).json()) as { id: string };
    expect(await paid).toMatchObject({ id, room: 'orders', from: 'system', data: { order: 42 } });
    await expect(room.send({ order: 1 }, { event: 'paid' })).rejects.toMatchObject({ code: 'forbidden' });

    const told = ['webhook room_occupied orders', 'webhook member_joined orders alice'];
    await until('the webhook of the join', () => told.every((line) => world.lines.includes(line)));
    room.leave();
    await until('the webhook of the leave', () => world.lines.includes('webhook member_left orders alice'));
  });

  test('rejects a webhook with a wrong signature or an old timestamp, and ignores a repeated event', async () => {
    const world = await startWorld(folder, program());
    expect(await world.webhook('forged', 'another secret')).toBe(401);
    expect(await world.webhook('old', undefined, 3_600)).toBe(401);
    expect(await world.webhook('early', undefined, -3_600)).toBe(401);
    const unsigned = { method: 'POST', body: '{"events":[]}' };
    expect((await fetch(`${world.url}/webhook`, unsigned)).status).toBe(401);
    expect(await world.webhook('right')).toBe(204);
    expect(await world.webhook('right')).toBe(204);
    expect(await world.webhook('last')).toBe(204);
    await until('the last event', () => world.lines.includes('webhook member_left test last'));
    expect(world.lines.slice(1)).toEqual(['webhook member_left test right', 'webhook member_left test last']);
  });

  test('answers 400 to a wrong request and 502 while no gateway answers', async () => {
    const world = await startWorld(folder, program());
    expect((await fetch(`${world.url}/token`)).status).toBe(400);
    expect((await world.order('no JSON')).status).toBe(400);
    expect((await fetch(`${world.url}/nothing`)).status).toBe(404);
    await world.pod.kill();
    expect((await world.order('{"order":43}')).status).toBe(502);
  });
});
