import { eventually, get, SLOW } from '../faults/world.ts';
import { expect, onTestFinished, test } from 'vitest';
import { killedPodTest, outageTest, provisionalIdTest, releasesTogether } from './together.ts';
import { aWorld } from './world.ts';
import { FIRST_RELEASE } from './earlier-release.ts';
import { connect } from '@nats-io/transport-node';
import { documentedRights } from '../engines/nats/rights.ts';
import { jetstreamManager } from '@nats-io/jetstream';
import { rolloutTest } from './rollout.ts';
import { said } from '../many-pods/world.ts';
import { startNats } from '../support/stack/nats-server.ts';

/** The documented rights, and those that only 0.1.0 needs (CHANGELOG.md). */
function rightsOfBoth(): string {
  const { publish, subscribe } = documentedRights();
  const requests = ['INFO', 'CREATE', 'UPDATE', 'MSG.GET'];
  const marks = requests.map((request) => `$JS.API.STREAM.${request}.realtime-marks`);
  return JSON.stringify({ publish: [...publish, ...marks], subscribe });
}

const USERS = [
  '{ user: admin, password: password }',
  `{ user: crosspod, password: password, permissions: ${rightsOfBoth()} }`,
];

const here = aWorld(
  () => startNats({ config: [`authorization { users: [${USERS.join(', ')}] }`] }),
  ({ env, port }) => ({ ...env, NATS_URL: urlFor('crosspod', port) }),
);

function urlFor(user: string, port: number): string {
  return `nats://${user}:password@127.0.0.1:${port}`;
}

releasesTogether(here);
killedPodTest(here, ['earlier', 'current']);
outageTest(here);
provisionalIdTest(here);
rolloutTest(here);

// CHANGELOG.md: what 0.1.0 and this version cannot do together. These pods share nothing with those of the other tests.
test(
  'a 0.1.0 pod gives a history that went back another name: positions from before are lost',
  SLOW,
  async () => {
    const env = { NATS_PREFIX: 'restored', NATS_URL: urlFor('admin', here.engine.port) };
    const connection = await connect({ servers: env.NATS_URL, user: 'admin', pass: 'password' });
    onTestFinished(() => connection.close());
    const jsm = await jetstreamManager(connection);
    const described = async (): Promise<string> =>
      String((await jsm.streams.info('restored-history')).config.description);

    const former = await here.pod('current', env);
    await former.stop();
    // As a pod of this release describes a history that went back once, at that moment.
    await jsm.streams.update('restored-history', {
      description: (await described()).replace(/x0$/, 'x1-1'),
    });
    const current = await here.pod('current', env);
    const id = await said(current, 'room', { data: 'before' });
    const readAfter = async (): Promise<unknown> => {
      const { body } = await get(current, `/api/rooms/room/history?after=${encodeURIComponent(id)}`);
      return body['recovered'];
    };
    expect(await described()).toMatch(/x1-1$/);
    expect(await readAfter()).toBe(true);
    await here.pod(FIRST_RELEASE, env);
    expect(await described()).toMatch(/x0$/);
    await eventually('positions from before to be lost', async () => (await readAfter()) === false);
  },
);
