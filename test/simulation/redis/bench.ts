import { readScript } from '../../../src/engines/redis/connection/script.ts';
import { Lua } from './lua.ts';
import { ModelServer } from './server.ts';

/** How many calls of the product's scripts the model answers in a second: `node test/simulation/redis/bench.ts`. */
const CALLS = 100_000;
const lua = new Lua();
const NOW = 1_700_000_000_000;
let clock = NOW;
let seed = 1;
const server = new ModelServer({
  name: 'redis',
  address: { host: 'redis', port: 6379 },
  now: () => clock,
  random: () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647,
  lua,
});
const connection = server.connect(
  (bytes) => {
    if (bytes[0] === 0x2d) throw new Error(bytes.toString());
  },
  () => undefined,
);

function ask(...words: (string | number)[]): void {
  const parts = words.map((word) => `$${Buffer.byteLength(String(word))}\r\n${word}\r\n`);
  connection.receive(Buffer.from(`*${words.length}\r\n${parts.join('')}`));
}

function measure(name: string, one: (at: number) => void): void {
  for (let at = 0; at < 5_000; at += 1) one(at);
  // Of the processor: other programs may use it too.
  const begin = process.cpuUsage();
  for (let at = 0; at < CALLS; at += 1) one(at);
  const { user, system } = process.cpuUsage(begin);
  const seconds = (user + system) / 1e6;
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  const memory = `heap ${(heapUsed / 1e6).toFixed(0)} MB, Lua ${(lua.bytes / 1e6).toFixed(1)} MB, buffers ${(arrayBuffers / 1e6).toFixed(0)} MB`;
  console.log(
    `${name}: ${Math.round(CALLS / seconds)} calls a second of processor time (after ${CALLS} calls: ${memory})`,
  );
}

const script = (name: string): string => {
  const { lua: text, sha } = readScript(
    new URL(`../../../src/engines/redis/lua/${name}.lua`, import.meta.url),
  ).alone;
  ask('SCRIPT', 'LOAD', text);
  return sha;
};
const append = script('history/append');
const enter = script('presence/enter');

const body = JSON.stringify({ type: 'chat', room: 'room', payload: { text: 'x'.repeat(100) } });
measure('append.lua', (at) => {
  clock = NOW + at / 10;
  const room = `r${at % 20}`;
  const keys = ['epoch', `history:${room}`, `state:${room}`, `provisional:${room}`];
  const pod = [86_400_000, 300_000, 2_500, 'pod1', 'run123', Math.floor(clock), 1, 1];
  const message = [1, keys.length, '', `~${at}`, '', body, ''];
  const inRoom = ['tag', `channel:${room}`, 100, 3_600_000];
  ask('EVALSHA', append, keys.length, ...keys, ...pod, ...inRoom, ...message);
});
measure('enter.lua', (at) => {
  clock = NOW + at / 10;
  const room = `r${at % 20}`;
  const user = `user${at % 50}`;
  const keys = [`presence:${room}`, `tabs:${room}`, `reaped:${room}`];
  const args = ['pod1.1', 60_000, `channel:${room}`];
  ask(
    'EVALSHA',
    enter,
    keys.length,
    ...keys,
    ...args,
    `c${at % 50}`,
    user,
    `"${user}"`,
    'now',
    '',
    '',
    '',
    `pod1:${at}`,
    '',
  );
});
