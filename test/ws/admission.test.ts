import { hooksWith } from '../support/hooks.ts';
import { bench } from '../backend/bench.ts';
import { describe, expect, test } from 'vitest';
import { Admission } from '../../src/ws/admission.ts';
import type { Admitted } from '../../src/ws/admitted.ts';
import type { Authenticator } from '../../src/core/ports/authenticator.ts';
import { DEFAULT_PERMISSIONS, UNRESTRICTED } from '../../src/core/base/permissions.ts';
import type { FakeBackend } from '../backend/fake-backend.ts';
import type { Hooks } from '../../src/core/ports/hooks.ts';
import { inOrder } from '../../src/core/commands/hook-chain.ts';
import { Origins } from '../../src/core/base/origins.ts';
import type { Pod } from '../../src/core/commands/pod.ts';
import { TestPod } from '../support/test-pod.ts';
import type { UpgradeRefusal } from '../../src/core/base/upgrade-refusal.ts';

/** Its tokens are user ids; `late` has expired. */
const tokens: Authenticator = {
  authenticate: (token) =>
    Promise.resolve(
      token === 'late'
        ? { fault: 'token_expired', reason: 'token_expired' }
        : {
            userId: token,
            permissions: DEFAULT_PERMISSIONS,
            expiresAt: Date.UTC(2100, 0, 1, 0, 0, 5),
            claims: { sub: token },
          },
    ),
};

interface Gate {
  readonly admission: Admission;
  readonly fake: FakeBackend;
  readonly pod: Pod;
  readonly enter: (url: string, headers?: object) => Promise<Admitted | UpgradeRefusal>;
  readonly explain: (url: string, headers?: object) => Promise<UpgradeRefusal | undefined>;
}

interface Options {
  readonly authenticator?: Authenticator | undefined;
  readonly onFailure?: 'allow' | 'refuse';
  readonly first?: Hooks;
  readonly perUser?: number;
}

async function gate(answer: FakeBackend['answer'], options: Options = {}): Promise<Gate> {
  const { authenticator, onFailure, first, perUser = 0 } = options;
  const { backend, fake } = await bench(answer, {
    events: ['connect', 'join'],
    allowsOnFailure: onFailure === 'allow',
  });
  const hooks = first === undefined ? backend : inOrder(first, backend);
  const pod = { ...new TestPod({ maxConnectionsPerUser: perUser }, hooks).pod, authenticator };
  const admission = new Admission({
    pod,
    paths: ['/ws'],
    origins: new Origins(['*']),
    trustProxy: false,
    remoteOf: () => '192.0.2.7',
    watermarks: { exceeded: false },
    hasKeys: false,
  });
  const enter: Gate['enter'] = (url, headers = {}) => admission.admit({ url, headers: { ...headers } }, 'c1');
  const explain: Gate['explain'] = (url, headers = {}) => admission.explain({ url, headers: { ...headers } });
  return { admission, fake, pod, enter, explain };
}

describe('connect', () => {
  test('names a user without a token, by the headers that are passed on', async () => {
    const { enter, fake } = await gate(() => ({
      allow: true,
      user_id: 'alice',
      data: { plan: 'pro' },
      rooms: ['a'],
    }));
    const admitted = await enter('/ws?user_id=mallory', { cookie: 's=1', 'x-other': 'no' });
    expect(admitted).toMatchObject({
      principal: { userId: 'alice', permissions: UNRESTRICTED },
      welcome: { data: '{"plan":"pro"}', rooms: ['a'] },
    });
    expect(fake.asked).toEqual([
      {
        event: 'connect',
        connection: {
          id: 'c1',
          user_id: null,
          claims: null,
          headers: { cookie: 's=1' },
          remote: '192.0.2.7',
        },
      },
    ]);
  });

  test('never uses ?user_id= while it decides', async () => {
    const { enter } = await gate(() => ({ allow: true }));
    expect(await enter('/ws?user_id=mallory')).toMatchObject({ principal: { userId: 'c1' } });
  });

  test('gets a token that was checked, and its answer narrows it', async () => {
    const { enter, fake } = await gate(
      () => ({ allow: true, permissions: ['join:a'], expires_at: '2100-01-01T00:00:03Z' }),
      { authenticator: tokens },
    );
    expect(await enter('/ws/a?token=alice')).toMatchObject({
      principal: { userId: 'alice', expiresAt: Date.UTC(2100, 0, 1, 0, 0, 3) },
    });
    expect(fake.asked[0]).toMatchObject({
      room: 'a',
      connection: { user_id: 'alice', claims: { sub: 'alice' } },
    });
    expect(await enter('/ws/b?token=alice')).toMatchObject({ status: 403, code: 'forbidden' });
    expect(await enter('/ws?token=late')).toMatchObject({ status: 401, code: 'token_expired' });
    expect(fake.asked.filter(({ event }) => event === 'connect')).toHaveLength(2);
  });

  test('keeps the earlier end', async () => {
    const { enter } = await gate(() => ({ allow: true, expires_at: '2100-01-01T00:00:09Z' }), {
      authenticator: tokens,
    });
    expect(await enter('/ws?token=alice')).toMatchObject({
      principal: { expiresAt: Date.UTC(2100, 0, 1, 0, 0, 5) },
    });
  });

  test.each<[string, object, Options, object]>([
    ['names nobody while authentication is on', { allow: true }, { authenticator: tokens }, { status: 401 }],
    ['refuses', { allow: false, code: 'rate_limited' }, {}, { status: 403, code: 'rate_limited' }],
    ['fails', { allow: 1 }, {}, { status: 503, code: 'backend_unavailable', retryAfterSeconds: 2 }],
    [
      'fails, which is allowed, without a token',
      { allow: 1 },
      { onFailure: 'allow', authenticator: tokens },
      { status: 401, code: 'missing_token' },
    ],
  ])('%s', async (_, answer, options, refusal) => {
    const { enter, explain } = await gate(() => answer, options);
    expect(await enter('/ws')).toMatchObject(refusal);
    expect(await explain('/ws')).toMatchObject(refusal);
  });

  test('is asked by ?explain=1 too, which says so', async () => {
    const { explain, fake } = await gate(() => ({ allow: true, user_id: 'alice' }));
    expect(await explain('/ws/r', { cookie: 's=1' })).toBeUndefined();
    expect(fake.asked).toMatchObject([
      { event: 'connect', explain: true, room: 'r' },
      { event: 'join', room: 'r' },
    ]);
  });

  test('names the user whose connections are counted', async () => {
    const { enter } = await gate(() => ({ allow: true, user_id: 'alice' }), { perUser: 1 });
    expect(await enter('/ws')).toMatchObject({ principal: { userId: 'alice' } });
    expect(await enter('/ws')).toMatchObject({ status: 429, code: 'too_many_connections' });
  });
});

describe('The room in the address', () => {
  test.each<[object, object]>([
    [
      { allow: false, code: 'unavailable', error: 'no' },
      { status: 403, code: 'unavailable', error: 'no' },
    ],
    [{ allow: 0 }, { status: 503, code: 'unavailable' }],
  ])('is refused by %j', async (answer, refusal) => {
    const { enter, explain } = await gate(({ event }) =>
      event === 'join' ? answer : { allow: true, user_id: 'al' },
    );
    expect(await enter('/ws/r')).toMatchObject(refusal);
    expect(await explain('/ws/r')).toMatchObject(refusal);
  });

  test('is asked about once, and its grant goes into the welcome', async () => {
    const { enter, fake } = await gate(({ event }) => ({
      allow: true,
      ...(event === 'join' ? { data: 7 } : {}),
    }));
    expect(await enter('/ws/r')).toMatchObject({ welcome: { join: { data: '7' } } });
    expect(fake.asked.map(({ event }) => event)).toEqual(['connect', 'join']);
  });

  test('needs neither permission nor an answer if connect gives it', async () => {
    const { enter, fake } = await gate(() => ({ allow: true, rooms: ['r'], permissions: [] }));
    expect(await enter('/ws/r')).toMatchObject({ welcome: { rooms: ['r'] } });
    expect(fake.asked).toHaveLength(1);
  });
});

test('A hook that accepted learns of the end when the backend, or a permission, refuses', async () => {
  const ended: unknown[] = [];
  const first = hooksWith({
    disconnected: ({ userId }, code) => void ended.push([userId, code]),
  });
  const answers = [{ allow: false }, { allow: true, user_id: 'alice', permissions: [] }];
  const { enter } = await gate(() => answers.shift(), { first });
  expect(await enter('/ws')).toMatchObject({ status: 403 });
  expect(await enter('/ws/r')).toMatchObject({ status: 403 });
  expect(ended).toEqual([
    [null, 1006],
    ['alice', 1006],
  ]);
});
