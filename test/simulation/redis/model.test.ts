import { once } from 'node:events';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { Lua } from './lua.ts';
import { ModelSentinel } from './sentinel.ts';
import { ModelServer } from './server.ts';
import { served } from './tcp.ts';

const lua = new Lua();
let clock = 1_700_000_000_000;

function model(port = 1): ModelServer {
  return new ModelServer({
    name: `redis-${port}`,
    address: { host: '127.0.0.1', port },
    now: () => clock,
    random: Math.random,
    lua,
  });
}

/** A connection that is asked by hand; gives what was sent to it, and whether it was closed. */
function listener(server: ModelServer, ...commands: string[]): { sent: string[]; closed: () => boolean } {
  const sent: string[] = [];
  let isClosed = false;
  const connection = server.connect(
    (bytes) => sent.push(bytes.toString()),
    () => (isClosed = true),
  );
  for (const command of commands) connection.receive(Buffer.from(`${command}\r\n`));
  return { sent, closed: () => isClosed };
}

test('a replica has what was let through, and only that once it is promoted', () => {
  const [master, replica] = [model(1), model(2)];
  master.command('SET', 'before', '1');
  replica.replicaOf(master);
  expect(replica.command('GET', 'before')).toBeNull();
  replica.catchUp();
  master.command(
    'EVAL',
    "redis.call('SET', 'a', 1) redis.call('SPOP', 'none') redis.call('SET', 'b', 1, 'PX', 5)",
    '0',
  );
  master.command('SET', 'c', '1');
  expect(replica.lag).toBe(2);
  // A script comes whole.
  replica.catchUp(1);
  replica.promote();
  expect(['before', 'a', 'b', 'c'].map((key) => replica.command('EXISTS', key))).toEqual([1, 1, 1, 0]);
  // A key ends for the replica when it does for its master.
  clock += 6;
  expect(replica.command('EXISTS', 'b')).toBe(0);
  master.replicaOf(replica);
  master.catchUp();
  expect(master.command('EXISTS', 'c')).toBe(0);
});

test('what replicas hear is what the master did, also where that was random or came of a time that was over', () => {
  const [master, replica] = [model(1), model(2)];
  replica.replicaOf(master);
  replica.catchUp();
  master.command('SADD', 'set', 'x', 'y', 'z');
  master.command('SPOP', 'set');
  master.command('SET', 'short', '1', 'PX', '10');
  replica.catchUp();
  expect(replica.command('SMEMBERS', 'set')).toEqual(master.command('SMEMBERS', 'set'));
  clock += 20;
  expect(master.command('GET', 'short')).toBeNull();
  replica.catchUp();
  master.evict('set');
  replica.catchUp();
  expect(replica.command('KEYS', '*')).toEqual([]);
  const heard = listener(replica, 'SUBSCRIBE news');
  master.command('PUBLISH', 'news', 'hello');
  replica.catchUp();
  expect(heard.sent.at(-1)).toContain('hello');
});

test('after a restart the run is another one, connections and scripts are gone, and the data is what was asked for', () => {
  const server = model();
  const sha = server.command('SCRIPT', 'LOAD', 'return 1') as string;
  server.command('SET', 'a', '1');
  const saved = server.dump();
  server.command('SET', 'a', '2');
  server.command('SET', 'b', '2');
  const { runId } = server;
  const client = listener(server, 'PING');
  server.restart('kept');
  expect([server.runId === runId, client.closed()]).toEqual([false, true]);
  expect(server.command('SCRIPT', 'EXISTS', sha)).toEqual([0]);
  expect(server.command('GET', 'a')).toBe('2');
  server.restart(saved);
  expect([server.command('GET', 'a'), server.command('GET', 'b')]).toEqual(['1', null]);
  server.command('SET', 'a', '3');
  server.restart(saved);
  expect(server.command('GET', 'a')).toBe('1');
  server.restart('lost');
  expect(server.command('KEYS', '*')).toEqual([]);
});

test('whoever hears a channel that is denied is cut off, and others are not', () => {
  const server = model();
  const [one, other] = [listener(server, 'SUBSCRIBE news:1'), listener(server, 'SUBSCRIBE sport')];
  server.deny({ channels: 'news:*' });
  expect([one.closed(), other.closed()]).toEqual([true, false]);
  expect(listener(server, 'SUBSCRIBE news:2').sent.join('')).toMatch(/^-NOPERM/);
  server.allowAll();
  expect(listener(server, 'SUBSCRIBE news:2').sent.join('')).toContain('subscribe');
});

test('a script that loses a right halfway keeps what it did, also in the words of later versions', () => {
  const options = {
    name: 'redis',
    address: { host: '127.0.0.1', port: 1 },
    now: () => clock,
    random: Math.random,
    lua,
  };
  const server = new ModelServer({ ...options, version: '7.4.1' });
  server.deny({ command: 'publish' });
  const text = "redis.call('SET', KEYS[1], 'x') return redis.call('PUBLISH', 'c', 'x')";
  const sent: string[] = [];
  const connection = server.connect(
    (bytes) => sent.push(bytes.toString()),
    () => undefined,
  );
  connection.receive(Buffer.from(`*4\r\n$4\r\nEVAL\r\n$${text.length}\r\n${text}\r\n$1\r\n1\r\n$1\r\nk\r\n`));
  expect(sent.join('')).toMatch(
    /^-NOPERM User default has no permissions to run the 'publish' command script: /,
  );
  expect(server.command('GET', 'k')).toBe('x');
});

test('ioredis finds the master by a Sentinel, hears of another one and goes there', async () => {
  const servers: ModelServer[] = [];
  const ports = await Promise.all([0, 1].map((index) => served(() => servers[index] as ModelServer)));
  servers.push(...ports.map(model));
  const [first, second] = servers as [ModelServer, ModelServer];
  second.replicaOf(first);
  second.catchUp();
  const sentinels: ModelSentinel[] = [];
  const port = await served(() => sentinels[0] as ModelSentinel);
  const address = { host: '127.0.0.1', port };
  sentinels.push(
    new ModelSentinel({
      address,
      group: 'mymaster',
      master: first.address,
      replicas: [second.address],
      others: [],
    }),
  );
  const client = new Redis({
    sentinels: [address],
    name: 'mymaster',
    failoverDetector: true,
    retryStrategy: () => 10,
    sentinelReconnectStrategy: () => 10,
  });
  client.on('error', () => undefined);
  onTestFinished(() => client.disconnect());
  await client.set('a', '1');
  expect(first.command('GET', 'a')).toBe('1');
  second.catchUp();
  second.promote();
  first.replicaOf(second);
  const again = once(client, 'ready');
  sentinels[0]?.switchMaster(second.address);
  first.closeConnections();
  await again;
  await client.set('b', '2');
  expect([second.command('GET', 'a'), second.command('GET', 'b')]).toEqual(['1', '2']);
});
