import { degraded, eventually, get, podsOn, ready, SLOW } from './world.ts';
import { expect, onTestFinished, test } from 'vitest';
import { expectEverythingOnce, saidBy, startTalk } from './judge.ts';
import type { PodProcess } from '../support/stack/pods.ts';
import { type RedisServer, startRedis } from '../support/stack/redis-server.ts';
import { Witness } from './witness.ts';

const USER = 'user crosspod on >secret resetkeys resetchannels ~realtime:* ~presence:* &realtime:* +@all';

/** What is taken from the user, what gives it back, and how the log calls it. */
const RIGHTS = [
  { taken: '-xadd', given: '+xadd', named: 'may not XADD' },
  { taken: '-hset', given: '+hset', named: 'may not HSET' },
  { taken: '-publish', given: '+publish', named: 'may not PUBLISH' },
  { taken: '-evalsha', given: '+evalsha', named: "'evalsha' command" },
  { taken: 'resetchannels', given: '&realtime:*', named: 'may not PUBLISH on its channels' },
  { taken: 'resetkeys', given: '~realtime:* ~presence:*', named: 'access one of the keys' },
] as const;

async function redisWithUser(): Promise<RedisServer> {
  const acl = ['user default on nopass ~* &* +@all', USER];
  const redis = await startRedis({ acl });
  onTestFinished(() => redis.discard());
  return redis;
}

function podsAsUser(redis: RedisServer): Promise<[PodProcess, PodProcess]> {
  return podsOn({ env: { REDIS_URL: `redis://crosspod:secret@127.0.0.1:${redis.port}` } });
}

function setUser(redis: RedisServer, rules: string): Promise<unknown> {
  return redis.command('ACL', 'SETUSER', 'crosspod', ...rules.split(' '));
}

/** Who said what, as the history has it. */
async function kept(pod: PodProcess, room: string): Promise<string[]> {
  const { body } = await get(pod, `/api/rooms/${room}/history?limit=1000`);
  const messages = body['messages'] as { from: string; data: { n: number } }[];
  return messages.map(({ from, data }) => `${from} ${data.n}`);
}

function linesOf(pod: PodProcess, text: string): string[] {
  return pod
    .output()
    .split('\n')
    .filter((line) => line.includes(text));
}

/** A right to listen is missed at once, one to publish not before something is published. */
async function withoutAnswers(...pods: readonly PodProcess[]): Promise<void> {
  for (const { opsUrl } of pods) {
    await eventually('a pod without answers', async () => {
      const told = (await (await fetch(`${opsUrl}/readyz`)).json()) as { engine?: { lost: string }[] };
      return told.engine?.some(({ lost }) => lost === 'answers') ?? false;
    });
  }
}

test.for(RIGHTS)(
  'a user of Redis that loses a right ($taken) under load: Redis is away until it has it again, and the log names it',
  SLOW,
  async ({ taken, given, named }) => {
    const redis = await redisWithUser();
    const [here, there] = await podsAsUser(redis);
    const speakers = [await Witness.join(here, 'room', 'alice'), await Witness.join(there, 'room', 'carol')];
    const quiet = await Witness.join(there, 'room', 'quiet');
    const talk = startTalk(speakers, 20);
    await eventually('some talk', () => quiet.heard().length > 50);
    await setUser(redis, taken);
    await withoutAnswers(here, there);
    const late = await Witness.join(there, 'room', 'late');
    expect(late.losses()).toEqual(['unavailable']);
    const before = quiet.heard().length;
    await eventually('talk on the own pod', () => quiet.heard().length > before + 100);
    await degraded(here, there);
    await setUser(redis, given);
    await ready(here, there);
    const after = quiet.heard().length;
    await eventually('more talk', () => quiet.heard().length > after + 50);
    talk.stop();
    await expectEverythingOnce([...speakers, quiet], speakers);
    for (const one of [...speakers, quiet]) expect(one.losses()).toEqual([]);
    const once = [...saidBy(speakers)].flatMap(([by, said]) =>
      Array.from({ length: said }, (_, index) => `${by} ${index + 1}`),
    );
    expect((await kept(here, 'room')).toSorted()).toEqual(once.toSorted());
    for (const pod of [here, there]) {
      const lines = linesOf(pod, 'Redis refuses commands that every pod needs');
      expect(lines).toHaveLength(1);
      expect(lines[0]).toContain(named);
      // It goes away once, and comes back once.
      expect(linesOf(pod, 'Redis is available')).toHaveLength(2);
      expect(pod.output()).not.toContain('"level":50');
    }
  },
);

test(
  'a user of Redis that may subscribe no more: who joins is told so, and nothing is lost',
  SLOW,
  async () => {
    const redis = await redisWithUser();
    const [here, there] = await podsAsUser(redis);
    const alice = await Witness.join(here, 'room', 'alice');
    await setUser(redis, '-subscribe');
    const carol = await Witness.join(there, 'room', 'carol');
    expect(carol.losses()).toEqual(['unavailable']);
    for (let n = 0; n < 20; n += 1) alice.say();
    await eventually(
      'a line in the log',
      () => linesOf(there, 'Redis refuses this pod a subscription').length > 0,
    );
    expect(linesOf(there, 'Redis refuses this pod a subscription')[0]).toContain("'subscribe' command");
    await setUser(redis, '+subscribe');
    expect(await carol.verdict()).toMatchObject({ recovered: true });
    alice.say();
    await expectEverythingOnce([alice, carol], [alice]);
    expect(linesOf(there, 'Redis refuses this pod a subscription')).toHaveLength(1);
  },
);
