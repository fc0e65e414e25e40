import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RedisCluster, startRedisCluster } from '../../support/stack/redis-cluster.ts';
import { readScript } from '../../../src/engines/redis/connection/script.ts';
import { ClusterView } from './cluster.ts';
import { RealSide } from './differential/sides.ts';
import { commandBytes, type Parsed, ReplyReader, shown } from './differential/wire.ts';
import { Lua } from './lua.ts';
import { ModelServer } from './server.ts';

/** The hash tag of what moves, and keys with it. */
const SLOT_OF = 'a';
const [ONE, TWO] = ['{a}:one', '{a}:two'];
const EXIT = readScript(
  new URL('../../../src/engines/redis/lua/presence/exit.lua', import.meta.url),
).clustered;
const NOTE = readScript(
  new URL('../../../src/engines/redis/lua/presence/note.lua', import.meta.url),
).clustered;

/** A Cluster of two masters, real or not, which is asked by one connection to each. */
interface Subject {
  /** Index 0 has the slot at first. */
  ask(server: 0 | 1, ...words: string[]): Promise<string>;
  pushed(server: 0 | 1): Promise<string[]>;
  beginMove(): Promise<void>;
  /** The first of the two keys, which was written first. */
  moveKey(): Promise<void>;
  endMove(): Promise<void>;
}

let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await startRedisCluster({ masters: 3, replicas: 0 });
}, 120_000);
afterAll(() => cluster.discard());

async function realSubject(): Promise<Subject> {
  const slot = await cluster.slotOf(SLOT_OF);
  const from = await cluster.masterOf(slot);
  const to = cluster.servers.find((server) => server !== from) ?? from;
  const pushes: [Parsed[], Parsed[]] = [[], []];
  const sides = [await RealSide.connect(from.port), await RealSide.connect(to.port)] as const;
  for (const [index, side] of sides.entries()) side.onPush = (push) => pushes[index as 0 | 1].push(push);
  for (const side of sides) await side.ask([['HELLO', '3']]);
  const ports = [from.port, to.port];
  return {
    async ask(server, ...words) {
      const side = sides[server];
      // A subscription is answered by a push, or refused.
      const isSubscription = words[0] === 'SSUBSCRIBE';
      const reply = isSubscription ? await side.first(words) : (await side.ask([words]))[0]?.reply;
      return named(reply === undefined || reply.kind === '>' ? '' : shown(reply), ports);
    },
    async pushed(server) {
      await sides[server].ask([['PING']]);
      return pushes[server].splice(0).map(shown);
    },
    beginMove: async () => void (await cluster.beginMove(slot, to)),
    moveKey: async () => void (await from.command('MIGRATE', '127.0.0.1', String(to.port), ONE, '0', '5000')),
    endMove: () => cluster.endMove(slot, from, to),
  };
}

function modelServersOf(view: ClusterView): [ModelServer, ModelServer, ModelServer] {
  const lua = new Lua();
  return [1, 2, 3].map(
    (port) =>
      new ModelServer({
        name: `model-${port}`,
        address: { host: '127.0.0.1', port },
        now: () => 1_700_000_000_000,
        random: () => 0.5,
        lua,
        cluster: view,
      }),
  ) as [ModelServer, ModelServer, ModelServer];
}

function modelSubject(): Subject {
  const view = new ClusterView();
  const [from, to, third] = modelServersOf(view);
  view.assign(third, 0, 16_383);
  // That of the hash tag.
  const slot = Number(from.command('CLUSTER', 'KEYSLOT', SLOT_OF));
  view.assign(from, 10_923, 16_383);
  view.assign(to, 0, 5_461);
  const readers = [from, to].map((server) => {
    const reader = new ReplyReader();
    const connection = server.connect(
      (bytes) => reader.add(bytes),
      () => undefined,
    );
    connection.receive(commandBytes(['HELLO', '3']));
    reader.next();
    return { connection, reader, pushes: [] as string[] };
  });
  const take = (server: 0 | 1): string => {
    const { reader, pushes } = readers[server] as (typeof readers)[0];
    let reply = '';
    for (let item = reader.next(); item !== undefined; item = reader.next()) {
      if (item.kind === '>') pushes.push(shown(item));
      else reply = shown(item);
    }
    return named(reply, [1, 2]);
  };
  return {
    ask(server, ...words) {
      readers[server]?.connection.receive(commandBytes(words));
      return Promise.resolve(take(server));
    },
    pushed(server) {
      take(server);
      return Promise.resolve(readers[server]?.pushes.splice(0) ?? []);
    },
    beginMove: () => Promise.resolve(view.beginMove(slot, to)),
    moveKey: () => Promise.resolve(void view.moveKeys(slot, 1)),
    endMove: () => Promise.resolve(view.endMove(slot)),
  };
}

/** Servers by name in place of their ports. */
function named(text: string, ports: readonly number[]): string {
  return text
    .replaceAll(`127.0.0.1:${ports[0]}`, '<the first>')
    .replaceAll(`127.0.0.1:${ports[1]}`, '<the second>');
}

/** What both are asked while a slot moves; gives all that they said. */
async function told(subject: Subject): Promise<string[]> {
  const said: string[] = [];
  const ask = async (server: 0 | 1, ...words: string[]): Promise<void> => {
    said.push(`${server} ${words.join(' ')}: ${await subject.ask(server, ...words)}`);
  };
  const askBoth = async (): Promise<void> => {
    for (const server of [0, 1] as const) {
      await ask(server, 'GET', ONE);
      await ask(server, 'GET', '{a}:none');
      await ask(server, 'EXISTS', ONE, TWO);
      await ask(server, 'EXISTS', ONE, '{a}:none');
      await ask(server, 'EVALSHA', NOTE.sha, '2', ONE, TWO, 'pod', 'room');
      await ask(
        server,
        'EVALSHA',
        EXIT.sha,
        '3',
        '{a}:p',
        '{a}:t',
        '{a}:s',
        'pod.1',
        '5',
        '{a}:c',
        'c1',
        'u',
        '"u"',
        'x',
      );
      await ask(server, 'ASKING');
      await ask(server, 'GET', ONE);
      await ask(server, 'ASKING');
      await ask(server, 'EXISTS', ONE, TWO);
      await ask(server, 'ASKING');
      await ask(server, 'EVALSHA', NOTE.sha, '2', ONE, TWO, 'pod', 'room');
      await ask(server, 'SPUBLISH', '{a}:channel', 'hello');
      await ask(server, 'EVAL', "return redis.call('GET', '{b}:other')", '0');
      await ask(server, 'EVAL', "return redis.call('GET', '{a}:none')", '1', ONE);
      await ask(server, 'EVAL', "redis.call('DEL', KEYS[1]) return redis.call('GET', KEYS[1])", '1', '{a}:p');
    }
  };
  for (const server of [0, 1] as const) {
    await ask(server, 'SCRIPT', 'LOAD', NOTE.lua);
    await ask(server, 'SCRIPT', 'LOAD', EXIT.lua);
  }
  await ask(0, 'SET', ONE, 'x');
  await ask(0, 'ZADD', TWO, '1', 'pod');
  await ask(0, 'HSET', '{a}:t', 'u', 'c1@pod.1');
  await ask(0, 'EXISTS', ONE, '{b}:two');
  await ask(0, 'SSUBSCRIBE', '{a}:channel');
  await ask(1, 'SSUBSCRIBE', '{a}:channel');
  await askBoth();
  await subject.beginMove();
  await askBoth();
  await subject.moveKey();
  await askBoth();
  await subject.endMove();
  await askBoth();
  await ask(1, 'SSUBSCRIBE', '{a}:channel');
  await askBoth();
  for (const server of [0, 1] as const) said.push(`pushed by ${server}:`, ...(await subject.pushed(server)));
  return said;
}

test('while a slot moves a Cluster of models says what a real one says', async () => {
  const real = await told(await realSubject());
  expect(await told(modelSubject())).toEqual(real);
});

test.each(['from', 'to'] as const)(
  'a slot comes to a master also where the one it goes %s is replaced on the way',
  (end) => {
    const view = new ClusterView();
    const [from, to, replica] = modelServersOf(view);
    view.assign(from, 0, 16_383);
    replica.replicaOf(end === 'from' ? from : to);
    view.beginMove(7, to);
    view.takeOver(replica);
    view.endMove(7);
    expect(view.ownerOf(7)).toBe(end === 'from' ? to : replica);
  },
);
