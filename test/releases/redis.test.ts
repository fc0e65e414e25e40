import { eventually, SLOW } from '../faults/world.ts';
import { expect, test } from 'vitest';
import { killedPodTest, outageTest, provisionalIdTest, releasesTogether } from './together.ts';
import { present, told } from '../many-pods/world.ts';
import { aWorld, isEarlierFirst } from './world.ts';
import { FIRST_RELEASE } from './earlier-release.ts';
import type { Client } from '../support/client.ts';
import { member } from '../integration/people.ts';
import type { PodProcess } from '../support/stack/pods.ts';
import { readFileSync } from 'node:fs';
import { rolloutTest } from './rollout.ts';
import { startRedis } from '../support/stack/redis-server.ts';

/** The documented rights, and those that only 0.1.0 needs (CHANGELOG.md). */
function rightsOfBoth(): string {
  const [rule] = /^user crosspod .*$/m.exec(readFileSync('docs/platform/redis.md', 'utf8')) ?? [];
  return `${rule} +scard +spop +xtrim`.replace('~presence:*', '~presence:* ~rollout:* &rollout:*');
}

const here = aWorld(
  () => startRedis({ acl: ['user default on nopass ~* &* +@all', rightsOfBoth()] }),
  ({ env }) => ({ ...env, REDIS_USERNAME: 'crosspod', REDIS_PASSWORD: 'password' }),
);

releasesTogether(here);
killedPodTest(here, isEarlierFirst ? ['earlier'] : ['earlier', 'current']);
outageTest(here);
provisionalIdTest(here);
rolloutTest(here);

// CHANGELOG.md: what 0.1.0 and this version cannot do together. A 0.1.0 pod that cleans up after a current one does
// not remove its members. These pods share nothing with those of the other tests: the 0.1.0 pod survives alone.
const ROOM = 'room';

interface LeftBehind {
  readonly first: PodProcess;
  readonly env: Readonly<Record<string, string>>;
  readonly watcher: Client;
}

async function leftBehind(prefix: string, end: (pod: PodProcess) => Promise<unknown>): Promise<LeftBehind> {
  const env = {
    REDIS_PREFIX: prefix,
    POD_LEASE_SECONDS: '1',
    PRESENCE_TTL_SECONDS: '3',
    PRESENCE_GRACE_SECONDS: '1',
  };
  const [first, doomed] = [await here.pod(FIRST_RELEASE, env), await here.pod('current', env)];
  const watcher = await member(first, ROOM, 'watcher');
  await member(doomed, ROOM, 'bob');
  await end(doomed);
  await eventually(
    'the 0.1.0 pod to clean up',
    () => first.output().includes('cleaned up after a pod'),
    () => first.output(),
  );
  expect(Object.keys(await present(first, ROOM))).toEqual(['bob', 'watcher']);
  expect(told(watcher, 'bob', ROOM)).toEqual(['online']);
  return { first, env, watcher };
}

test(
  'a member of a killed current pod leaves once when a current pod looks after the room',
  SLOW,
  async () => {
    const { first, env, watcher } = await leftBehind('rollout:upgrade:', (pod) => pod.kill());
    const current = await here.pod('current', env);
    const successor = await member(current, ROOM, 'successor');
    await first.stop();
    await watcher.closed;
    await eventually('bob to be gone', async () => !('bob' in (await present(current, ROOM))));
    await successor.next({ type: 'presence', from: 'bob', data: { status: 'offline' } });
    expect(told(successor, 'bob', ROOM)).toEqual(['offline']);
  },
);

test('after a rollback a member who did not return leaves when the keys are deleted', SLOW, async () => {
  const { first } = await leftBehind('rollout:rollback:', (pod) => pod.stop());
  for (const key of [`presence:${ROOM}`, `realtime:tabs:${ROOM}`]) {
    await here.engine.command('DEL', `rollout:rollback:${key}`);
  }
  const users = async (): Promise<string> => Object.keys(await present(first, ROOM)).join();
  await eventually('presence to be written again', async () => (await users()) === 'watcher');
});
