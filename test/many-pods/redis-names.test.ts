import { describe, expect, onTestFinished, test } from 'vitest';
import { ALL_WAYS, everything } from './everything.ts';
import { aWorld, get, PATIENT } from './world.ts';
import { fresh, guest, join, member, published } from '../integration/people.ts';
import { Redis } from 'ioredis';

const here = aWorld({ env: { ...ALL_WAYS, REDIS_PREFIX: 'shop:' } });

/** Every channel on which something was published since, whoever hears it. */
async function listening(): Promise<Set<string>> {
  const client = new Redis(here.redis.port);
  onTestFinished(() => client.disconnect());
  const channels = new Set<string>();
  client.on('pmessage', (_, channel) => channels.add(channel));
  await client.psubscribe('*');
  return channels;
}

async function strings(...command: [string, ...string[]]): Promise<string[]> {
  return (await here.redis.command(...command)) as string[];
}

/** The pods that have subscribed the room's channel. */
async function subscribers(room: string): Promise<unknown> {
  const [, count] = await strings('PUBSUB', 'NUMSUB', `shop:realtime:room:${room}`);
  return count;
}

describe('What is in Redis after everything was used', () => {
  let [room, channels, statistics] = ['', new Set<string>(), ''];

  test('everything crosses', async () => {
    channels = await listening();
    ({ room } = await everything(here.a, here.b));
    statistics = String(await here.redis.command('INFO', 'commandstats'));
  });

  test('was never looked for with KEYS or SCAN', () => {
    expect(statistics).toMatch(/^cmdstat_evalsha:calls=\d\d/m);
    expect(statistics).not.toMatch(/^cmdstat_(keys|scan|randomkey|flushall|flushdb|monitor|config[^:]*):/m);
  });

  test('has names under the prefix and realtime: or presence: only', async () => {
    // Written from the first second on, whatever is used.
    await expect.poll(() => strings('KEYS', 'shop:realtime:loads'), PATIENT).toHaveLength(1);
    const keys = await strings('KEYS', '*');
    expect(keys).toContain(`shop:realtime:history:${room}`);
    expect(keys).toContain(`shop:presence:${room}`);
    for (const key of keys) expect(key).toMatch(/^shop:(realtime|presence):/);
  });

  test('went through channels under the prefix and realtime: only', async () => {
    expect(channels).toContain('shop:realtime:global');
    expect(channels).toContain(`shop:realtime:room:${room}`);
    for (const channel of [...channels, ...(await strings('PUBSUB', 'CHANNELS'))]) {
      expect(channel).toMatch(/^shop:realtime:/);
    }
  });

  test('is the history as a stream and the presence as a hash', async () => {
    expect(await here.redis.command('TYPE', `shop:realtime:history:${room}`)).toBe('stream');
    expect(await here.redis.command('TYPE', `shop:presence:${room}`)).toBe('hash');
  });

  test('does not stay for ever: what belongs to a room, a user or a message has an end', async () => {
    const forever: string[] = [];
    for (const key of await strings('KEYS', '*')) {
      if ((await here.redis.command('TTL', key)) === -1) forever.push(key);
    }
    expect(forever).not.toEqual([]);
    for (const key of forever) expect(key).not.toMatch(/everything-|empty-|alice|greta|key-/);
  });
});

describe('A pod', () => {
  test('has a subscription for a room only while somebody there is in it', async () => {
    const room = fresh();
    await published(await guest(here.a), { room, data: 1 });
    await get(here.a, `/api/rooms/${room}/history`);
    await get(here.a, `/api/rooms/${room}/presence`);
    expect(await subscribers(room)).toBe(0);
    const alice = await member(here.a, room, 'alice');
    expect(await subscribers(room)).toBe(1);
    const [bob, second] = [await member(here.b, room, 'bob'), await guest(here.b, 'bob')];
    await join(second, room);
    expect(await subscribers(room)).toBe(2);
    await bob.close(1000);
    alice.send({ type: 'leave', room });
    await expect.poll(() => subscribers(room), PATIENT).toBe(1);
    await second.terminate();
    await expect.poll(() => subscribers(room), PATIENT).toBe(0);
  });

  test('subscribes no patterns', async () => {
    expect(await here.redis.command('PUBSUB', 'NUMPAT')).toBe(0);
  });
});
