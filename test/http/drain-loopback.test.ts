import { expect, test } from 'vitest';
import { networkInterfaces } from 'node:os';
import { createServer, listenerOf } from '../../src/http/server.ts';
import { ops } from '../../src/http/ops.ts';

function operatorsOf(ended: string[]): ReturnType<typeof ops> {
  return ops({
    readiness: () => 'ready',
    troubles: () => [],
    end: (reason) => void ended.push(reason),
    metrics: { contentType: 'text/plain', render: () => Promise.resolve('') },
  });
}

/** The status of POST /drain over a socket whose other end is this; and what the pod was ended for. */
async function drainFrom(remoteAddress: string | undefined, headers = {}): Promise<[number, string[]]> {
  const ended: string[] = [];
  const env = { incoming: { socket: { remoteAddress } } };
  const { status } = await operatorsOf(ended).request('/drain', { method: 'POST', headers }, env);
  return [status, ended];
}

test.each(['127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1', '::FFFF:127.0.0.1'])(
  'POST /drain from %s, within the pod, ends it',
  async (address) => {
    expect(await drainFrom(address)).toEqual([202, ['POST /drain']]);
  },
);

test.each(['10.0.0.5', '::ffff:10.0.0.5', 'fe80::1', '2001:db8::127.0.0.1', '1.127.0.0', undefined])(
  'POST /drain from %s, outside the pod, does not',
  async (address) => {
    expect(await drainFrom(address)).toEqual([403, []]);
  },
);

test('no header makes a request from outside count as loopback', async () => {
  for (const name of ['X-Forwarded-For', 'X-Real-IP', 'Forwarded', 'Host'])
    expect(await drainFrom('10.0.0.5', { [name]: '127.0.0.1' })).toEqual([403, []]);
});

test('a request to another address of the pod does not count as loopback', async () => {
  const others = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  const addresses = [
    '127.0.0.1',
    ...others.filter(({ internal, family }) => !internal && family === 'IPv4').map(({ address }) => address),
  ];
  const ended: string[] = [];
  const listener = listenerOf(createServer(operatorsOf(ended), { keepAliveMs: 1_000 }));
  const port = await listener.open(0, '0.0.0.0');
  const statuses: number[] = [];
  for (const address of addresses)
    statuses.push((await fetch(`http://${address}:${port}/drain`, { method: 'POST' })).status);
  await listener.close();
  expect(statuses).toEqual(addresses.map((address) => (address === '127.0.0.1' ? 202 : 403)));
  expect(ended).toEqual(['POST /drain']);
});
