import { expect, onTestFinished, test } from 'vitest';
import { podOn, presenceIs, SLOW } from './world.ts';
import { member } from '../integration/people.ts';
import { offline, state } from '../many-pods/watching.ts';
import { startRedis } from '../support/stack/redis-server.ts';
import { told } from '../many-pods/world.ts';

/** Pods look after what they have written so rarely that nothing here comes from that. */
const RARELY = { PRESENCE_TTL_SECONDS: '3600', REBALANCE_PERCENT: '0' };

test(
  'Who is said to have left, and is there, is said to be there at once, as she last said, and leaves once in the end',
  SLOW,
  async () => {
    const redis = await startRedis();
    onTestFinished(() => redis.discard());
    const [here, there] = [await podOn(redis, RARELY), await podOn(redis, RARELY)];
    const alice = await member(here, 'r', 'alice');
    await state(alice, 'r', { status: 'away', meta: { at: 'lunch' } });
    const bob = await member(there, 'r', 'bob');
    // As after a failover to a server that never got what the pod had written, and the end of another tab.
    const row = (await redis.command('HGET', 'presence:r', 'alice')) as string;
    for (const kind of ['presence', 'realtime:tabs']) await redis.command('HDEL', `${kind}:r`, 'alice');
    await redis.command('PUBLISH', 'realtime:room:r', `presence - leave 1\n${row}`);
    await bob.next(offline('alice'));
    await bob.next({ type: 'presence', from: 'alice', data: { status: 'away' } });
    await presenceIs([here, there], 'r', ['alice', 'bob']);
    alice.send({ type: 'leave', room: 'r' });
    await bob.next(offline('alice'));
    await presenceIs([here, there], 'r', ['bob']);
    expect(told(bob, 'alice', 'r')).toEqual(['offline', 'away', 'offline']);
  },
);
