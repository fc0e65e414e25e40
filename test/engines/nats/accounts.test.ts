import { allHeard, saidBy } from '../../faults/judge.ts';
import { describe, expect, test } from 'vitest';
import { expectAway, podOf } from './pod-of-user.ts';
import { operatedNats, type OperatedNats, type User } from './operator.ts';
import { presenceIs, ready, SLOW } from '../../faults/world.ts';
import { nkeys } from '@nats-io/transport-node';
import { documentedRights } from './rights.ts';
import { Witness } from '../../faults/witness.ts';

/** Each client publishes, and receives all publications. */
async function talk(...people: readonly Witness[]): Promise<void> {
  for (const one of people) one.say();
  await allHeard(people, saidBy(people));
}

describe('With the credentials of a user of an account', () => {
  test('two pods share messages and presence, and log no secrets', SLOW, async () => {
    const nats = await operatedNats();
    const users = [nats.account.user({ rights: documentedRights() }), nats.account.user()];
    const [here, there] = await Promise.all(users.map((user) => podOf(nats, user)));
    if (here === undefined || there === undefined) throw new Error('no pods');
    await ready(here, there);
    await talk(await Witness.join(here, 'room', 'alice'), await Witness.join(there, 'room', 'bob'));
    await presenceIs([here, there], 'room', ['alice', 'bob']);
    const output = `${here.output()}${there.output()}`;
    for (const secret of users.flatMap(({ secrets }) => secrets)) expect(output).not.toContain(secret);
    expect(output).not.toMatch(/permission|"level":[456]0/);
  });

  test('pods receive nothing from pods of another account', SLOW, async () => {
    const nats = await operatedNats();
    const [here, there] = [await podOf(nats, nats.account.user()), await podOf(nats, nats.other.user())];
    await ready(here, there);
    const [alice, bob] = [
      await Witness.join(here, 'room', 'alice'),
      await Witness.join(there, 'room', 'bob'),
    ];
    for (const one of [alice, bob]) await talk(one);
    expect([alice.heard().length, bob.heard().length]).toEqual([1, 1]);
    await presenceIs([here], 'room', ['alice']);
    await presenceIs([there], 'room', ['bob']);
  });

  test('a file without a final line break, or with those of Windows, works too', SLOW, async () => {
    const nats = await operatedNats();
    const { credentials, secrets } = nats.account.user();
    const end = '------END USER NKEY SEED------';
    const short = credentials.slice(0, credentials.indexOf(end) + end.length);
    for (const text of [short, credentials.replaceAll('\n', '\r\n')])
      await ready(await podOf(nats, { credentials: text, secrets }));
  });
});

/** A seed with a typing error. */
function damaged({ credentials, secrets }: User): User {
  const [seed = ''] = secrets;
  const wrong = `${seed.slice(0, -4)}${seed.endsWith('AAAA') ? 'BBBB' : 'AAAA'}`;
  return { credentials: credentials.replace(seed, wrong), secrets: [...secrets, wrong] };
}

const NOT_LET_IN = /^it does not let this pod in: Authorization Violation$/;

test.each<[string, RegExp, (nats: OperatedNats) => User]>([
  [
    'have ended',
    /credentials expired at \d{4}-\d\d-\d\dT/,
    ({ account }) => account.user({ expiresIn: -60 }),
  ],
  ['are of an account that the server does not know', NOT_LET_IN, ({ stranger }) => stranger.user()],
  ['have the seed of another', NOT_LET_IN, ({ account }) => account.user({ seed: nkeys.createUser() })],
  ['are damaged', /invalid checksum/, ({ account }) => damaged(account.user())],
  ['are of an account without JetStream', /JetStream not enabled for account/, ({ poor }) => poor.user()],
])('A pod goes on by itself and says why where its credentials %s', SLOW, async (_what, reason, userOf) => {
  const nats = await operatedNats();
  const user = userOf(nats);
  await expectAway(await podOf(nats, user), user, reason);
});

test('Credentials that expire while in use end the connection, and the log says so', SLOW, async () => {
  const nats = await operatedNats();
  const user = nats.account.user({ expiresIn: 4 });
  // On a slow machine the credentials may expire before the pod connects.
  await expectAway(await podOf(nats, user), user, /Authentication Expired|credentials expired/);
});

test.each([
  ['publish', 'realtime.>', 'publish of realtime.claims.…'],
  ['publish', '$JS.API.STREAM.INFO.realtime-leases', 'publish of $JS.API.STREAM.INFO.realtime-leases'],
  ['publish', '$JS.API.STREAM.CREATE.realtime-history', 'publish of $JS.API.STREAM.CREATE.realtime-history'],
  [
    'publish',
    '$JS.API.CONSUMER.CREATE.realtime-presence.*',
    'publish of $JS.API.CONSUMER.CREATE.realtime-presence.',
  ],
  ['subscribe', 'realtime.>', 'subscription of realtime.'],
  ['subscribe', '_INBOX.>', 'subscription of _INBOX.'],
] as const)('A user without the right to %s %s is told which it lacks', SLOW, async (kind, subject, told) => {
  const nats = await operatedNats();
  const all = documentedRights();
  expect(all[kind]).toContain(subject);
  const rights = { ...all, [kind]: all[kind].filter((one) => one !== subject) };
  const user = nats.account.user({ rights });
  const pod = await podOf(nats, user);
  await expectAway(pod, user, `no permission for ${told}`);
});
