import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Proxy, startProxy } from '../support/proxy.ts';

/** For `expect.poll`: as long as a loaded machine may need. */
const PATIENT = { timeout: 20_000 };

/** One end of a connection, and what it has received. */
interface End {
  readonly socket: Socket;
  heard: string;
  isOver: boolean;
}

let accepted: End[];
let opened: End[];
let server: ReturnType<typeof createServer>;
let proxy: Proxy;

beforeEach(async () => {
  accepted = [];
  opened = [];
  server = createServer((socket) => void accepted.push(listen(socket)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  proxy = await startProxy((server.address() as AddressInfo).port);
});

afterEach(async () => {
  for (const { socket } of [...opened, ...accepted]) socket.destroy();
  await proxy.stop();
  server.close();
});

function listen(socket: Socket): End {
  const end: End = { socket, heard: '', isOver: false };
  socket.on('data', (chunk) => (end.heard += String(chunk)));
  socket.on('error', () => undefined);
  for (const event of ['end', 'close']) socket.on(event, () => (end.isOver = true));
  return end;
}

async function openClient(): Promise<End> {
  const end = listen(connect(proxy.port, '127.0.0.1'));
  opened.push(end);
  await once(end.socket, 'connect');
  return end;
}

/** A client and what the server has of it, both sure to pass bytes on. */
async function openPair(): Promise<[End, End]> {
  const client = await openClient();
  const index = accepted.length;
  client.socket.write('c');
  await expect.poll(() => accepted[index]?.heard, PATIENT).toBe('c');
  const there = accepted[index] as End;
  there.socket.write('s');
  await expect.poll(() => client.heard, PATIENT).toBe('s');
  return [client, there];
}

/** Sends one way or both, and gives it many more turns of the event loop than what passes would need. */
async function sayInVain([one, other]: readonly [End, End?]): Promise<void> {
  one.socket.write('?');
  other?.socket.write('!');
  for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

test('bytes pass both ways, and so does the end of a connection', async () => {
  const [client, there] = await openPair();
  client.socket.end('bye');
  await expect.poll(() => [there.heard, there.isOver], PATIENT).toEqual(['cbye', true]);
  await expect.poll(() => client.isOver, PATIENT).toBe(true);
});

test('during a silence nothing passes and nothing is closed; afterwards what was held comes', async () => {
  const pair = await openPair();
  const [client, there] = pair;
  proxy.silence();
  await sayInVain(pair);
  expect([client.heard, there.heard]).toEqual(['s', 'c']);
  expect([client.isOver, there.isOver]).toEqual([false, false]);
  proxy.resume();
  await expect.poll(() => [client.heard, there.heard], PATIENT).toEqual(['s!', 'c?']);
});

test.each([
  ['to-server', ['s!', 'c']],
  ['to-client', ['s', 'c?']],
] as const)('silence %s lets the other direction pass', async (direction, heard) => {
  const pair = await openPair();
  const [client, there] = pair;
  proxy.silence(direction);
  await sayInVain(pair);
  await expect.poll(() => [client.heard, there.heard], PATIENT).toEqual(heard);
  proxy.resume();
  await expect.poll(() => [client.heard, there.heard], PATIENT).toEqual(['s!', 'c?']);
});

test.each(['end', 'resetAndDestroy'] as const)(
  'the other side learns of socket.%s() only after the silence',
  async (how) => {
    const pair = await openPair();
    const [client, there] = pair;
    proxy.silence();
    client.socket[how]();
    await sayInVain([there]);
    expect(there.isOver).toBe(false);
    proxy.resume();
    await expect.poll(() => there.isOver, PATIENT).toBe(true);
  },
);

test('a connection opened during a silence is accepted, and reaches the server afterwards', async () => {
  proxy.silence();
  const client = await openClient();
  client.socket.write('hello');
  await sayInVain([client]);
  expect(accepted).toEqual([]);
  proxy.resume();
  await expect.poll(() => accepted[0]?.heard, PATIENT).toBe('hello?');
  accepted[0]?.socket.write('welcome');
  await expect.poll(() => client.heard, PATIENT).toBe('welcome');
});

test('breakAll resets what is open, silent or not, and the next connection passes', async () => {
  const [client, there] = await openPair();
  proxy.silence();
  proxy.breakAll();
  await expect.poll(() => [client.isOver, there.isOver], PATIENT).toEqual([true, true]);
  proxy.resume();
  await openPair();
});

test('what is late comes late, in order, and only on connections that are concerned', async () => {
  const [late] = await openPair();
  const others = await openClient();
  others.socket.write('other');
  await expect.poll(() => accepted.at(-1)?.heard, PATIENT).toBe('other');
  proxy.delay('to-server', 600, (greeting) => greeting.startsWith('c'));
  late.socket.write('1');
  late.socket.write('2');
  others.socket.write('!');
  await expect.poll(() => accepted[1]?.heard, PATIENT).toBe('other!');
  expect(accepted[0]?.heard).toBe('c');
  proxy.resume();
  late.socket.write('3');
  await expect.poll(() => accepted[0]?.heard, PATIENT).toBe('c123');
});

test('silence may concern some connections only, also those that are made meanwhile', async () => {
  const [client, there] = await openPair();
  proxy.silence('to-client', (greeting) => greeting.startsWith('c'));
  there.socket.write('unheard');
  const again = await openClient();
  again.socket.write('c');
  const others = await openClient();
  others.socket.write('other');
  await expect.poll(() => accepted.find(({ heard }) => heard === 'other'), PATIENT).toBeDefined();
  for (const end of accepted) end.socket.write('?');
  await expect.poll(() => others.heard, PATIENT).toBe('?');
  expect([client.heard, again.heard]).toEqual(['s', '']);
  proxy.resume();
  await expect.poll(() => [client.heard, again.heard], PATIENT).toEqual(['sunheard?', '?']);
});
