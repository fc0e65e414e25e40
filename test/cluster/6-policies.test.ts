import { afterAll, beforeAll, expect, test } from 'vitest';
import { get, kubectl, NAMESPACE, podsOf, readyPodsOf } from './cluster.ts';
import { eventually } from './patience.ts';
import { install } from './release.ts';
import { saw } from './report.ts';
import { invite, leave, STRANGER } from './stranger.ts';

beforeAll(async () => {
  await install();
  await invite();
});

afterAll(leave);

/** Whether a connection from that container to there is taken. */
async function reaches(pod: string, address: string, port: number): Promise<boolean> {
  const program = `
    const socket = require('node:net').connect(${port}, '${address}');
    const end = (word) => { console.log(word); process.exit(); };
    socket.once('connect', () => end('taken')).once('error', () => end('refused'));
    setTimeout(end, 3000, 'silent');`;
  return (await kubectl('exec', pod, '--', 'node', '--eval', program)).trim() === 'taken';
}

async function addressOf(pod: string): Promise<string> {
  return (await get(`pod/${pod}`)).status.podIP;
}

/** What Prometheus answers to the query: the value of each series. */
async function figures(query: string): Promise<number[]> {
  const service = '/api/v1/namespaces/monitoring/services/prometheus:9090/proxy';
  const answer = await kubectl('get', '--raw', `${service}/api/v1/query?query=${encodeURIComponent(query)}`);
  const { data } = JSON.parse(answer) as { data: { result: { value: [number, string] }[] } };
  return data.result.map(({ value }) => Number(value[1]));
}

test('with networkPolicy.enabled strangers are shut out of Redis, and nobody else', async () => {
  const [gateway = '', sibling = ''] = await readyPodsOf('gateway');
  const [redis = ''] = await podsOf('redis');
  const [near, far] = [await addressOf(sibling), await addressOf(redis)];
  await eventually('the stranger to be known to all', () => reaches(STRANGER, near, 8080));
  for (const port of [6379, 26379]) {
    expect(await reaches(gateway, far, port), `the gateway to ${port}`).toBe(true);
    expect(await reaches(STRANGER, far, port), `a stranger to ${port}`).toBe(false);
  }
  // Nor does a gateway get anywhere else, where others do.
  const elsewhere = await addressOf(STRANGER);
  expect(await reaches(STRANGER, elsewhere, 8080)).toBe(true);
  expect(await reaches(gateway, elsewhere, 8080)).toBe(false);
  const pods = await readyPodsOf('gateway');
  await eventually('Prometheus to have figures of each pod', async () => {
    const up = await figures(`up{namespace="${NAMESPACE}"}`);
    return up.length === pods.length && up.every((value) => value === 1);
  });
  saw(
    'NetworkPolicies (on in all that is here)',
    'installed, scraped, reached by the ingress; a stranger gets to no Redis, a gateway nowhere else',
  );
});
