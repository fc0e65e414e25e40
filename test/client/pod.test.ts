import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { Crosspod, type State } from '../../src/client/client.ts';
import { type Pod, startPod } from '../support/pod.ts';
import { type Proxy, startProxy } from '../support/proxy.ts';
import { open } from '../support/client.ts';
import { inSeconds, SECRET, token } from '../support/tokens.ts';

/** For `expect.poll`: as long as a loaded machine may need. */
const PATIENT = { timeout: 20_000 };

let pod: Pod;
let proxy: Proxy;

beforeAll(async () => {
  pod = await startPod({ MESSAGES_PER_SECOND: '0', HISTORY_SIZE: '1000' });
  proxy = await startProxy(Number(pod.ports.PORT));
});
afterAll(async () => {
  await proxy.stop();
  await pod.kill();
});

/** A client that comes back at once, directly or through the network that can break. */
function clientOf(userId: string, port: string | number = pod.ports.PORT): Crosspod {
  let drawn = 0;
  const client = new Crosspod(`ws://127.0.0.1:${port}/ws`, {
    userId,
    platform: { random: () => (drawn++ < 2 ? Math.random() : 0.01) },
  });
  onTestFinished(() => client.close());
  return client;
}

function becomes(client: Crosspod, wanted: State): Promise<void> {
  return new Promise((resolve) => client.onState((state) => void (state === wanted && resolve())));
}

test('two clients talk in a room, and the sender knows the id that the others see', async () => {
  const [ann, bob] = [clientOf('ann').room('talk'), clientOf('bob').room('talk')];
  const heard: unknown[] = [];
  bob.onMessage(({ id, from, data }) => heard.push({ id, from, data }));
  await Promise.all([ann.join(), bob.join()]);
  const id = await ann.send({ text: 'hi' });
  await expect.poll(() => heard, PATIENT).toEqual([{ id, from: 'ann', data: { text: 'hi' } }]);
});

test('a direct message reaches every connection of a user and nobody else', async () => {
  const heard: unknown[] = [];
  const clients = ['bob', 'bob', 'eve'].map((user) => clientOf(user));
  for (const client of clients) {
    client.onMessage(({ from, data }) => heard.push([client.userId, from, data]));
    await client.room('direct').join();
  }
  await clientOf('ann').sendTo('bob', 'psst');
  await clientOf('ann').sendTo('eve', 'and you');
  await expect
    .poll(() => heard, PATIENT)
    .toEqual([
      ['bob', 'ann', 'psst'],
      ['bob', 'ann', 'psst'],
      ['eve', 'ann', 'and you'],
    ]);
});

test('what was said during an absence is there afterwards, in order and once', async () => {
  const away = clientOf('away', proxy.port);
  const heard: unknown[] = [];
  const room = away.room('absence');
  room.onMessage(({ data }) => heard.push(data));
  await room.join();
  const speaker = clientOf('speaker').room('absence');
  await speaker.send(0);
  await expect.poll(() => heard, PATIENT).toEqual([0]);
  const down = becomes(away, 'reconnecting');
  const up = becomes(away, 'connected');
  proxy.breakAll();
  await down;
  for (let n = 1; n <= 20; n += 1) await speaker.send(n);
  await up;
  await speaker.send(21);
  await expect.poll(() => heard, PATIENT).toEqual(Array.from({ length: 22 }, (_, n) => n));
});

test('three hundred messages over a line that breaks ten times arrive once each and in order', async () => {
  const sender = clientOf('sender', proxy.port);
  const receiver = clientOf('receiver', proxy.port);
  const heard: unknown[] = [];
  const gaps: unknown[] = [];
  receiver.room('rough').onMessage(({ data }) => heard.push(data));
  receiver.room('rough').onUnrecovered((gap) => gaps.push(gap));
  await receiver.room('rough').join();
  const ids: string[] = [];
  for (let turn = 0; turn < 10; turn += 1) {
    const sends = Array.from({ length: 30 }, (_, n) => sender.room('rough').send(turn * 30 + n));
    await sends[9];
    proxy.breakAll();
    ids.push(...(await Promise.all(sends)));
  }
  await expect.poll(() => heard.length, PATIENT).toBe(300);
  expect(heard).toEqual(Array.from({ length: 300 }, (_, n) => n));
  expect(new Set(ids).size).toBe(300);
  expect(gaps).toEqual([]);
});

test('a line that breaks and returns is no leave, and the member list stays true', async () => {
  const flaky = clientOf('flaky', proxy.port);
  const watcher = clientOf('watcher').room('grace');
  const seen: string[] = [];
  watcher.onPresence(({ user_id: user, status }) => seen.push(`${user} ${status}`));
  await watcher.join();
  await flaky.room('grace').join();
  await expect.poll(() => seen, PATIENT).toEqual(['flaky online']);
  const up = becomes(flaky, 'connected');
  proxy.breakAll();
  await up;
  await flaky.room('grace').send('back');
  await clientOf('other').room('grace').join();
  await expect.poll(() => seen, PATIENT).toEqual(['flaky online', 'other online']);
  const names = () => flaky.room('grace').members.map((member) => member.user_id);
  await expect.poll(() => names().sort(), PATIENT).toEqual(['flaky', 'other', 'watcher']);
});

test('a room whose name cannot be is refused with its code', async () => {
  const joined = clientOf('ann').room('no spaces').join();
  await expect(joined).rejects.toMatchObject({ code: 'invalid_room' });
});

test('a pod that stops takes nobody with it: the client comes back to the one that follows', async () => {
  const first = await startPod();
  const client = clientOf('ann', first.ports.PORT);
  const gaps: unknown[] = [];
  client.room('r').onUnrecovered(({ reason }) => gaps.push(reason));
  await client.room('r').join();
  await client.room('r').send('before');
  const down = becomes(client, 'reconnecting');
  expect(await first.stop()).toEqual({ code: 0, signal: null });
  await down;
  const sent = client.room('r').send('while away');
  const second = await startPod(first.ports);
  onTestFinished(async () => void (await second.kill()));
  expect(await sent).not.toBe('');
  await expect.poll(() => gaps, PATIENT).toEqual(['history_lost']);
});

test('a client that renews its token keeps its connection beyond the end of the first one', async () => {
  const strict = await startPod({ JWT_SECRET: SECRET });
  onTestFinished(async () => void (await strict.kill()));
  const tokens: string[] = [];
  const client = new Crosspod(`${strict.wsUrl}/ws`, {
    getToken: async () => {
      const ends = inSeconds(tokens.length === 0 ? 3 : 3_600);
      tokens.push(await token({ sub: 'ann', exp: ends }));
      // The client believes that the token ends later, and so renews it a second and a half before its end.
      return { token: tokens.at(-1) ?? '', expiresAt: ends * 1_000 + 28_500 };
    },
  });
  onTestFinished(() => client.close());
  const states: string[] = [];
  client.onState((state) => states.push(state));
  await expect.poll(() => states).toEqual(['connected']);
  // This connection has the first token and does not renew it.
  const other = await open(strict, `/ws?token=${tokens[0]}`);
  expect(await other.closed).toMatchObject({ reason: 'token expired' });
  expect(tokens).toHaveLength(2);
  await client.room('r').send('still here');
  expect(states).toEqual(['connected']);
});
