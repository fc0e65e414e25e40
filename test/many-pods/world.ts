import { afterAll, beforeAll, expect, onTestFinished } from 'vitest';
import { type PodProcess, startPodProcess } from '../support/stack/pods.ts';
import { type Stack, type StackOptions, startStack } from '../support/stack/stack.ts';
import { type Client, type Frame, part } from '../support/client.ts';
import { fresh } from '../integration/people.ts';
import type { RedisServer } from '../support/stack/redis-server.ts';

/** For `expect.poll`: as long as a loaded machine may need. */
export const PATIENT = { timeout: 10_000 };

/** What was answered to a request of the HTTP API. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Frame;
}

/** One Redis and some pods on it, for a whole file. */
export class World {
  readonly #options: StackOptions;
  #stack: Stack | undefined;

  constructor(options: StackOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#stack = await startStack({ haproxy: false, ...this.#options });
  }

  async stop(): Promise<void> {
    await this.#stack?.stop();
  }

  get pods(): readonly PodProcess[] {
    return this.#started.pods;
  }

  get a(): PodProcess {
    return at(this.pods, 0);
  }

  get b(): PodProcess {
    return at(this.pods, 1);
  }

  get c(): PodProcess {
    return at(this.pods, 2);
  }

  get redis(): RedisServer {
    return at(this.#started.redis, 0);
  }

  /** One more pod on the same Redis, until the test ends. */
  pod(env: Readonly<Record<string, string>> = {}): Promise<PodProcess> {
    return anotherPod({ ...this.redis.env, ...this.#options.env, ...env });
  }

  /** Publishes a last message in the room from every pod and waits until each of the clients has all of them. */
  async marked(room: string, clients: readonly Client[]): Promise<void> {
    const marker = fresh('marker');
    for (const [n, pod] of this.pods.entries()) {
      await post(pod, `/api/rooms/${room}/messages`, { event: `${marker}.${n}` });
      for (const client of clients) await client.next({ event: `${marker}.${n}` });
    }
  }

  get #started(): Stack {
    if (this.#stack === undefined) throw new Error('the world has not been started');
    return this.#stack;
  }
}

/** Starts before the first test of the file and stops after the last. */
export function aWorld(options: Partial<StackOptions> = {}): World {
  const world = new World({ pods: 2, ...options });
  beforeAll(() => world.start());
  afterAll(() => world.stop());
  return world;
}

/** A pod with these settings only, until the test ends. */
export async function anotherPod(env: Readonly<Record<string, string>>): Promise<PodProcess> {
  const pod = await startPodProcess('another-pod', env);
  onTestFinished(() => pod.discard());
  return pod;
}

/** The item that must be there. */
export function at<Item>(items: readonly Item[], index: number): Item {
  const item = items.at(index);
  if (item === undefined) throw new Error(`no item ${index} of ${items.length}`);
  return item;
}

export async function post(
  pod: PodProcess,
  path: string,
  body: unknown = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return read(
    await fetch(`${pod.url}${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify(body),
    }),
  );
}

export async function get(
  pod: PodProcess,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return read(await fetch(`${pod.url}${path}`, { headers }));
}

async function read(answer: Response): Promise<Answer> {
  const { status, headers } = answer;
  return { status, headers, body: (await answer.json()) as Frame };
}

/** Publishes as the server itself would and gives the id. */
export async function said(pod: PodProcess, room: string, body: Frame): Promise<string> {
  const answer = await post(pod, `/api/rooms/${room}/messages`, body);
  expect(answer).toMatchObject({ status: 200, body: { id: expect.stringMatching(/./) } });
  return String(answer.body['id']);
}

/** The ids of what was published in a room, as the client received it. */
export function ids(client: Client, room: string): unknown[] {
  return client.all((frame) => frame['type'] === 'chat' && frame['room'] === room).map(({ id }) => id);
}

export function connectionId(client: Client): string {
  return String(part(at(client.all({ event: 'connected' }), 0), 'data')['connection_id']);
}

/** The members of a room by name, as the HTTP API of a pod shows them. */
export async function present(pod: PodProcess, room: string): Promise<Record<string, Frame>> {
  const { status, body } = await get(pod, `/api/rooms/${room}/presence`);
  expect(status).toBe(200);
  const { members } = body as { members: Frame[] };
  const rows = members.map((row): [string, Frame] => [String(row['user_id']), row]);
  expect(new Set(rows.map(([user]) => user)).size).toBe(members.length);
  return Object.fromEntries(rows.toSorted(([one], [other]) => one.localeCompare(other)));
}

/** What a client was told of a user's presence in a room. */
export function told(client: Client, user: string, room: string): unknown[] {
  return client.all({ type: 'presence', from: user, room }).map((frame) => part(frame, 'data')['status']);
}

/** The value of a metric without labels. */
export async function metric(pod: PodProcess, name: string): Promise<number> {
  const text = await (await fetch(`${pod.opsUrl}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  if (line === undefined) throw new Error(`no metric ${name}`);
  return Number(line.slice(name.length));
}
