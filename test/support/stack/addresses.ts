import type { Stack } from './stack.ts';

/** Where every part listens, and where its log is, one line each. */
export function describeAddresses({ pods, redis, sentinels, nats, haproxy, parts }: Stack): string {
  const addresses = new Map([
    ...pods.map(({ name, url, opsUrl }) => [name, `${url}  operators: ${opsUrl}`] as const),
    ...redis.map(({ name, url }) => [name, url] as const),
    ...sentinels.map(({ name, port }) => [name, `127.0.0.1:${port}`] as const),
  ]);
  if (nats !== undefined) addresses.set(nats.name, nats.url);
  if (haproxy !== undefined) addresses.set(haproxy.name, `${haproxy.url}  statistics: ${haproxy.statsUrl}`);
  const lines = [...addresses].map(
    ([name, where]) => `${name.padEnd(11)} ${where}  log: ${parts.get(name)?.log}`,
  );
  return lines.join('\n');
}
