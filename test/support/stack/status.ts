import type { Haproxy } from './haproxy.ts';
import { ask } from './http.ts';
import type { Part } from './part.ts';
import type { PodProcess } from './pods.ts';
import type { RedisServer } from './redis-server.ts';
import type { Sentinel } from './sentinel.ts';
import type { Stack } from './stack.ts';

const NO_ANSWER = 'no answer';

/** What every part is doing now, one line each. */
export async function describeStatus(stack: Stack): Promise<string> {
  const { pods, redis, sentinels, haproxy } = stack;
  const lines = [
    ...pods.map((pod) => line(pod, () => describePod(pod))),
    ...redis.map((server) => line(server, () => describeRedis(server, redis))),
    ...sentinels.map((sentinel) => line(sentinel, () => describeSentinel(sentinel, redis))),
    ...(haproxy === undefined ? [] : [line(haproxy, () => describeHaproxy(haproxy))]),
  ];
  return (await Promise.all(lines)).join('\n');
}

async function line(part: Part, describe: () => Promise<string>): Promise<string> {
  const { name, state, pid } = part;
  const head = `${name.padEnd(11)} ${state.padEnd(8)}`;
  if (pid === undefined) return head.trimEnd();
  // Who is frozen would only let everybody wait.
  const what = state === 'frozen' ? NO_ANSWER : await describe().catch(() => NO_ANSWER);
  return `${head} pid ${String(pid).padEnd(8)} ${what}`;
}

async function describePod(pod: PodProcess): Promise<string> {
  const urls = [`${pod.opsUrl}/readyz`, `${pod.url}/ws/stats`, `${pod.opsUrl}/metrics`];
  const [ready, stats, metrics] = await Promise.all(urls.map(ask));
  if (ready === undefined || stats === undefined) return NO_ANSWER;
  const { connections, rooms } = JSON.parse(stats.text) as { connections: number; rooms: number };
  const frames = ['received', 'sent'].map(
    (way) => `${way} ${metric(metrics?.text, `realtime_messages_${way}`)}`,
  );
  const readiness = ready.status === 200 ? 'ready' : 'not ready';
  return `${readiness} (${ready.status}); connections ${connections}, rooms ${rooms}; frames ${frames.join(', ')}`;
}

/** The value of a metric without labels in the text that Prometheus reads. */
function metric(text: string | undefined, name: string): string {
  return new RegExp(`^${name} (\\S+)$`, 'm').exec(text ?? '')?.[1] ?? '?';
}

async function describeRedis(server: RedisServer, servers: readonly RedisServer[]): Promise<string> {
  const info = await server.replication();
  if (info.get('role') === 'master') {
    const replicas = [...info]
      .filter(([field]) => /^slave\d+$/.test(field))
      .map(([, value]) => nameOf(servers, Number(/port=(\d+)/.exec(value)?.[1])));
    return `master, replicas: ${replicas.sort().join(', ') || 'none'}`;
  }
  const master = nameOf(servers, Number(info.get('master_port')));
  return `replica of ${master}, link ${info.get('master_link_status')}`;
}

async function describeSentinel(sentinel: Sentinel, servers: readonly RedisServer[]): Promise<string> {
  return `says ${nameOf(servers, await sentinel.masterPort())} is the master`;
}

async function describeHaproxy(haproxy: Haproxy): Promise<string> {
  const states = await haproxy.podStates();
  if (states === undefined) return NO_ANSWER;
  return [...states].map(([pod, state]) => `${pod} ${state}`).join(', ');
}

function nameOf(servers: readonly RedisServer[], port: number): string {
  return servers.find((server) => server.port === port)?.name ?? `port ${port}`;
}
