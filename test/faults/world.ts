import { onTestFinished } from 'vitest';
import { type PodProcess, startPodProcess } from '../support/stack/pods.ts';
import { type RedisGroup, type RedisGroupOptions, startRedisGroup } from '../support/stack/redis-group.ts';
import { type RedisServer, startRedis } from '../support/stack/redis-server.ts';
import type { Frame } from '../support/client.ts';

type Env = Readonly<Record<string, string>>;

/** What these tests need of every pod: history that nothing is trimmed from, and a short life after death. */
const SETTINGS: Env = {
  HISTORY_SIZE: '10000',
  POD_LEASE_SECONDS: '2',
  PRESENCE_TTL_SECONDS: '10',
  PRESENCE_GRACE_SECONDS: '1',
  OUTBOX_MESSAGES: '5000',
};

/** As long as a fault may last on a loaded machine. Nothing is ever expected sooner. */
const PATIENCE_MS = 50_000;

/** For `test`. */
export const SLOW = { timeout: 110_000 };

/** Asks again and again until it is so; `why` says what was there instead. */
export async function eventually(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  why: () => string = () => '',
): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`waited ${PATIENCE_MS} ms in vain for ${what}; ${why()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A Redis that lives until the test ends. */
export async function redisOf(...config: string[]): Promise<RedisServer> {
  const redis = await startRedis({ config });
  onTestFinished(() => redis.discard());
  return redis;
}

/** A master with replicas and three Sentinels, which take it for dead after a second. */
export async function groupOf(options: RedisGroupOptions = {}): Promise<RedisGroup> {
  const sentinel = { downAfterMs: 2_000, failoverTimeoutMs: 3_000 };
  const group = await startRedisGroup({ minReplicasToWrite: 0, sentinel, ...options });
  onTestFinished(() => group.discard());
  return group;
}

/** A pod that lives until the test ends. */
export async function podOn({ env }: { env: Env }, more: Env = {}): Promise<PodProcess> {
  const pod = await startPodProcess('pod', { ...SETTINGS, ...env, ...more });
  onTestFinished(() => pod.discard());
  return pod;
}

export async function podsOn(on: { env: Env }, more: Env = {}): Promise<[PodProcess, PodProcess]> {
  return Promise.all([podOn(on, more), podOn(on, more)]);
}

export async function readiness({ opsUrl }: PodProcess): Promise<string> {
  const answer = await fetch(`${opsUrl}/readyz`);
  const { status } = (await answer.json()) as { status: string };
  return `${answer.status} ${status}`;
}

/** Resolves once the pods have noticed that Redis is away. */
export async function degraded(...pods: readonly PodProcess[]): Promise<void> {
  for (const pod of pods) {
    await eventually('a degraded pod', async () => (await readiness(pod)) === '200 degraded');
  }
}

/** Resolves once Redis is there for all of the pods. */
export async function ready(...pods: readonly PodProcess[]): Promise<void> {
  for (const pod of pods) {
    await eventually(
      'a ready pod',
      async () => (await readiness(pod)) === '200 ready',
      () => pod.output().slice(-2_000),
    );
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Frame;
}

export async function get({ url }: PodProcess, path: string): Promise<Answer> {
  return answerOf(await fetch(`${url}${path}`));
}

export async function post({ url }: PodProcess, path: string, body: Frame, headers = {}): Promise<Answer> {
  return answerOf(
    await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    }),
  );
}

async function answerOf(answer: Response): Promise<Answer> {
  const { status, headers } = answer;
  return { status, headers, body: (await answer.json()) as Frame };
}

/** Who is present in a room according to a pod. */
export async function usersIn(pod: PodProcess, room: string): Promise<string[]> {
  const { body } = await get(pod, `/api/rooms/${room}/presence`);
  const members = (body['members'] ?? []) as { user_id: string }[];
  return members.map(({ user_id: user }) => user).toSorted();
}

/** Waits until each of the pods says that exactly these users are present. */
export async function presenceIs(
  pods: readonly PodProcess[],
  room: string,
  users: readonly string[],
): Promise<void> {
  const expected = users.toSorted().join();
  const found = new Map<PodProcess, string>();
  for (const pod of pods) {
    const isSo = async (): Promise<boolean> => {
      found.set(pod, (await usersIn(pod, room)).join());
      return found.get(pod) === expected;
    };
    await eventually(
      `${users.length} users in ${room}`,
      isSo,
      () => `there were ${found.get(pod)?.slice(0, 500)}`,
    );
  }
}

/** Connections in a room over all pods, as one of them says. */
export async function connectionsIn(pod: PodProcess, room: string): Promise<number> {
  const { body } = await get(pod, `/api/rooms?prefix=${room}`);
  const rooms = (body['rooms'] ?? []) as { room: string; connections: number }[];
  return rooms.find((one) => one.room === room)?.connections ?? 0;
}

/** The replication roles of CLIENT LIST do not matter: ids of the pods' connections of a kind. */
export async function clientIds(
  redis: RedisServer,
  kind: 'crosspod:' | 'crosspod-subscriber:',
): Promise<string[]> {
  const list = String(await redis.command('CLIENT', 'LIST')).split('\n');
  const ours = list.filter((line) => line.includes(`name=${kind}`));
  return ours.map((line) => /^id=(\d+)/.exec(line)?.[1] ?? '');
}
