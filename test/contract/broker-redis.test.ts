import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { randomIds, systemClock } from '../../src/platform.ts';
import type { Backbone } from '../../src/engines/redis/connection/backbone.ts';
import { brokerContract } from './broker.ts';
import type { HistoryLimits } from '../../src/core/ports/room-rules.ts';
import { lastValueContract, roomRulesContract } from './room-rules.ts';
import { RedisBroker } from '../../src/engines/redis/broker.ts';
import { RedisSubject } from './redis-subject.ts';
import { Ear, sharedBrokerContract } from './shared-broker.ts';

function brokerOn(
  backbone: Backbone,
  historySize: number,
  limitsOf: (room: string) => HistoryLimits = () => ({ historySize, historyTtlMs: 60_000 }),
): RedisBroker {
  return new RedisBroker({
    backbone,
    limitsOf,
    bufferMessages: 100,
    memoryBytes: 1_048_576,
    newName: () => randomIds().ephemeral(),
  });
}

describe.each(['alone', 'cluster'] as const)('Redis, %s', (kind) => {
  const redis = new RedisSubject(kind);
  beforeAll(() => redis.start(), 60_000);
  afterAll(() => redis.stop());

  brokerContract('The Redis broker', {
    async open() {
      await redis.empty();
      return brokerOn(redis.backbone(), 5);
    },
    pass: (ms) => redis.pass(ms),
  });

  const ruled = {
    async open(limitsOf: (room: string) => HistoryLimits) {
      await redis.empty();
      return brokerOn(redis.backbone(), 5, limitsOf);
    },
    pass: (ms: number) => redis.pass(ms),
  };
  roomRulesContract('The Redis broker', ruled);
  lastValueContract('The Redis broker', ruled);

  describe('After keys of a room were lost', () => {
    /** The position of the empty room, and those of eight messages, of which five are stored. */
    async function spokenRoom(): Promise<{ broker: RedisBroker; backbone: Backbone; all: string[] }> {
      await redis.empty();
      const backbone = redis.backbone();
      const broker = brokerOn(backbone, 5);
      await broker.start(new Ear(broker));
      await broker.subscribe('r');
      const all = [(await broker.read('r', { newest: 0 }, 0)).position];
      for (let count = 0; count < 8; count += 1) all.push((await broker.publish('r', 'said')).id);
      broker.unsubscribe('r');
      return { broker, backbone, all };
    }

    async function forget({ placement }: Backbone, ...keys: readonly string[]): Promise<void> {
      for (const key of keys) await placement.shardOf(key).command((client) => client.del(key));
    }

    /** What a read after each position returns, to a client that only reads and to a member of the room. */
    async function saidAfter(broker: RedisBroker, all: readonly string[]): Promise<unknown[]> {
      const said: unknown[] = [];
      const ask = async (): Promise<void> => {
        const pages = await Promise.all(all.map((after) => broker.read('r', { after }, 10)));
        said.push(pages.map(({ missing, messages }) => missing ?? messages.length));
      };
      await ask();
      await broker.subscribe('r');
      await ask();
      await broker.publish('r', 'said');
      await ask();
      await broker.stop();
      return said;
    }

    test('the history is lost if none of its keys is left', async () => {
      const { broker, backbone, all } = await spokenRoom();
      await forget(backbone, backbone.keys.history('r'), backbone.keys.state('r'));
      const lost = all.map(() => 'history_lost');
      expect(await saidAfter(broker, all)).toEqual([lost, lost, lost]);
    });

    test('the remaining messages say which history they belong to', async () => {
      const { broker, backbone, all } = await spokenRoom();
      await forget(backbone, backbone.keys.state('r'));
      const [some, trimmed] = [Array.from({ length: 3 }, () => 'trimmed'), [5, 4, 3, 2, 1, 0]];
      expect(await saidAfter(broker, all)).toEqual([
        [...some, ...trimmed],
        [...some, ...trimmed],
        [...some, 'trimmed', 5, 4, 3, 2, 1],
      ]);
    });

    test('without its messages the history is still known', async () => {
      const { broker, backbone, all } = await spokenRoom();
      await forget(backbone, backbone.keys.history('r'));
      const trimmed = all.slice(1).map(() => 'trimmed');
      expect(await saidAfter(broker, all)).toEqual([
        [...trimmed, 0],
        [...trimmed, 0],
        [...trimmed, 1],
      ]);
    });
  });

  test('messages that a pod knows are not returned if a failover dropped them', async () => {
    await redis.empty();
    const backbone = redis.backbone();
    const { keys, placement } = backbone;
    const broker = brokerOn(backbone, 5);
    await broker.start(new Ear(broker));
    const ids: string[] = [];
    for (const body of ['1', '2', '3', '4']) ids.push((await broker.publish('r', body)).id);
    const [after = '', , last = ''] = ids;
    const { messages } = await broker.read('r', { after }, 10);
    const history = keys.history('r');
    const streamId = ids[3]?.split('.')[2] ?? '';
    await placement.shardOf(history).command((client) => client.xdel(history, streamId));
    const page = await broker.read('r', { after }, 10, messages);
    expect(page.messages.map(({ body }) => body)).toEqual(['2', '3']);
    const known = messages.slice(0, 2).map((stored) => ({ ...stored, body: 'known' }));
    expect((await broker.read('r', { after }, 10, known)).messages).toEqual(known);
    const other = [{ ...known[1], id: last, prev: `other${after}`, body: 'known' }];
    expect((await broker.read('r', { after }, 10, other)).messages).toEqual(page.messages);
    await broker.stop();
  });

  test('of publications that leave as one command each has its own outcome, and rooms keep their order', async () => {
    await redis.empty();
    const backbone = redis.backbone();
    const broker = brokerOn(backbone, 300);
    await broker.start(new Ear(broker));
    const broken = backbone.keys.history('broken');
    await backbone.placement.shardOf(broken).command((client) => client.set(broken, 'no stream'));
    const numbers = Array.from({ length: 250 }, (_, index) => index);
    const published = numbers.map((n) => {
      const options = n % 3 === 0 ? { key: String(n) } : {};
      return broker.publish(n % 10 === 9 ? 'broken' : `r${n % 2}`, String(n), options);
    });
    const outcomes = await Promise.allSettled(published);
    for (const [n, { status }] of outcomes.entries())
      expect(status).toBe(n % 10 === 9 ? 'rejected' : 'fulfilled');
    for (const odd of [0, 1]) {
      const { messages } = await broker.read(`r${odd}`, { newest: 300 }, 300);
      const own = numbers.filter((n) => n % 2 === odd && n % 10 !== 9);
      expect(messages.map(({ body }) => Number(body))).toEqual(own);
      const before = messages.slice(1).map(({ prev }) => prev);
      expect(before).toEqual(messages.slice(0, -1).map(({ id }) => id));
    }
    const again = await broker.publish('r0', '0', { key: '0' });
    const [first] = outcomes;
    expect(again).toMatchObject({ id: first?.status === 'fulfilled' && first.value.id, duplicate: true });
    await broker.stop();
  });

  test('a room forgets the pods that published nothing there for an hour, when a new pod publishes', async () => {
    await redis.empty();
    const backbone = redis.backbone(systemClock);
    const broker = brokerOn(backbone, 10);
    await broker.start(new Ear(broker));
    const state = backbone.keys.state('r');
    const link = backbone.placement.shardOf(state);
    const second = Number((await link.command((client) => client.time()))[0]);
    const former = [
      'taken:gone',
      `z1@${second - 3_700}`,
      'taken:alive',
      `z2@${second - 60}`,
      'taken:early',
      'z3',
    ];
    await link.command((client) => client.hset(state, ...former));
    await broker.publish('r', 'said');
    const fields = await link.command((client) => client.hkeys(state));
    expect(fields.filter((field) => field.startsWith('taken:'))).toEqual(['taken:alive', expect.any(String)]);
    await broker.stop();
  });

  sharedBrokerContract('The Redis broker', {
    empty: () => redis.empty(),
    open: () => Promise.resolve(brokerOn(redis.backbone(systemClock), 1_000)),
    breaks: () => redis.freeze(),
    mends: () => redis.thaw(),
  });

  test('a pod recognizes the key of a message that it only read, also during an outage', async () => {
    await redis.empty();
    const [here, there] = [
      brokerOn(redis.backbone(systemClock), 10),
      brokerOn(redis.backbone(systemClock), 10),
    ];
    for (const broker of [here, there]) await broker.start(new Ear(broker));
    const { id } = await here.publish('r', 'said', { key: 'ann 1' });
    await there.read('r', { newest: 10 }, 10);
    redis.freeze();
    await expect.poll(() => there.available, { timeout: 20_000 }).toBe(false);
    expect(await there.publish('r', 'said', { key: 'ann 1' })).toEqual({ id, duplicate: true });
    redis.thaw();
    await Promise.all([here, there].map((broker) => broker.stop()));
  });
});
