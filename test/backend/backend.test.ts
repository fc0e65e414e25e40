import { bench, CONNECT, RULE, WHAT, WHO } from './bench.ts';
import { describe, expect, test } from 'vitest';
import { createHmac } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { TestClock } from '../support/test-clock.ts';

const CONNECTION = {
  id: 'c1',
  user_id: 'alice',
  claims: { sub: 'alice', plan: 'pro' },
  headers: { cookie: 'session=secret' },
  remote: '192.0.2.7',
};

describe('A question', () => {
  test('is signed as a webhook is, and has the form of the contract', async () => {
    const { backend, fake } = await bench();
    await backend.connecting({ ...CONNECT, room: 'r' });
    await backend.joining?.(WHO, 'r', RULE);
    await backend.publishing?.(WHO, WHAT, RULE);
    await backend.publishing?.(WHO, { type: 'chat', to: 'bob', data: 'null', ephemeral: true }, undefined);
    await backend.calling?.(WHO, 'sum', '[1,2]');
    backend.left?.(WHO, 'r', RULE);
    await backend.stop();
    expect(fake.asked).toEqual([
      { event: 'connect', connection: { ...CONNECTION, user_id: null }, room: 'r' },
      { event: 'join', connection: CONNECTION, room: 'r' },
      {
        event: 'publish',
        connection: CONNECTION,
        room: 'r',
        message: { type: 'chat', event: 'said', data: { n: 1 }, ephemeral: false },
      },
      {
        event: 'publish',
        connection: CONNECTION,
        message: { type: 'chat', to: 'bob', data: null, ephemeral: true },
      },
      { event: 'call', connection: CONNECTION, method: 'sum', data: [1, 2] },
      { event: 'leave', connection: CONNECTION, room: 'r' },
    ]);
    const { headers, body } = await fake.questions.take();
    const time = String(headers['x-crosspod-timestamp']);
    const signature = createHmac('sha256', 'the secret').update(`${time}.${body}`).digest('hex');
    expect(headers['x-crosspod-signature']).toBe(`sha256=${signature}`);
    expect(headers['content-type']).toBe('application/json');
  });

  test('over HTTP has no connection, and one that explains says so', async () => {
    const { backend, fake } = await bench();
    await backend.connecting({ ...CONNECT, id: null, userId: 'alice', occasion: 'http' });
    await backend.connecting({ ...CONNECT, occasion: 'explain' });
    expect(fake.asked[0]).toMatchObject({ connection: { id: null, user_id: 'alice' } });
    expect(fake.asked[0]).not.toHaveProperty('explain');
    expect(fake.asked[1]).toMatchObject({ explain: true });
  });

  test('goes over a connection that is kept', async () => {
    const { backend, fake } = await bench();
    for (let n = 0; n < 5; n += 1) await backend.joining?.(WHO, 'r', RULE);
    expect(fake.connections.opened).toBe(1);
  });

  test('is not asked where the settings or the rule leave it out', async () => {
    const { backend, fake } = await bench(undefined, { events: ['join', 'leave'] });
    expect(backend.publishing).toBeUndefined();
    expect(backend.calling).toBeUndefined();
    expect(await backend.connecting(CONNECT)).toEqual({ kind: 'allow', grant: {} });
    expect(backend.joining?.(WHO, 'r', { ...RULE, backend: new Set(['publish']) })).toMatchObject({
      kind: 'allow',
    });
    backend.left?.(WHO, 'r', { ...RULE, backend: new Set() });
    await backend.stop();
    expect(fake.asked).toEqual([]);
  });
});

describe('connect', () => {
  test.each<[string, object, object]>([
    ['nothing', {}, {}],
    ['nobody', { user_id: null }, {}],
    ['a user', { user_id: 'bob' }, { userId: 'bob' }],
    ['rooms, each once', { rooms: ['a', 'b', 'a'] }, { rooms: ['a', 'b'] }],
    ['a time', { expires_at: '2030-01-01T00:00:00+01:00' }, { expiresAt: Date.UTC(2029, 11, 31, 23) }],
    ['data', { data: null }, { data: 'null' }],
    ['an unknown field', { colour: 'red' }, {}],
  ])('grants %s', async (_, fields, grant) => {
    const { backend } = await bench(() => ({ allow: true, ...fields }));
    expect(await backend.connecting(CONNECT)).toEqual({ kind: 'allow', grant });
  });

  test('grants permissions instead of those of the token', async () => {
    const { backend } = await bench(() => ({ allow: true, permissions: ['join:a-*'] }));
    const decision = await backend.connecting(CONNECT);
    const permissions = decision.kind === 'allow' ? decision.grant.permissions : undefined;
    expect(permissions?.allow('join', 'a-1', 'bob')).toBe(true);
    expect(permissions?.allow('publish', 'a-1', 'bob')).toBe(false);
  });

  test.each<[string, object]>([
    ['allow is no boolean', { allow: 'yes' }],
    ['allow is missing', {}],
    ['it is a list', []],
    ['user_id is no user id', { allow: true, user_id: 'conn:1' }],
    ['user_id is a number', { allow: true, user_id: 7 }],
    ['permissions is a text', { allow: true, permissions: 'join:*' }],
    ['permissions is null', { allow: true, permissions: null }],
    ['a permission is malformed', { allow: true, permissions: ['fly:*'] }],
    ['rooms has no room name', { allow: true, rooms: ['a b'] }],
    ['expires_at is a number', { allow: true, expires_at: 1_900_000_000 }],
    ['expires_at is no time', { allow: true, expires_at: '2030-13-01T00:00:00Z' }],
    ['code is no code', { allow: false, code: 'Not Now' }],
    ['error is no text', { allow: false, error: 7 }],
  ])('fails if %s', async (_, answer) => {
    const { backend, counted } = await bench(() => answer);
    expect(await backend.connecting(CONNECT)).toEqual({ kind: 'failed' });
    expect(counted('connect', 'failed')).toBe(1);
  });

  test('fails if it names another user than the token', async () => {
    const { backend } = await bench(() => ({ allow: true, user_id: 'bob' }));
    expect(await backend.connecting({ ...CONNECT, userId: 'alice' })).toEqual({ kind: 'failed' });
    expect(await backend.connecting({ ...CONNECT, userId: 'bob' })).toMatchObject({ kind: 'allow' });
  });

  test('refuses with its own code and sentence, or forbidden', async () => {
    const answers = [{ allow: false }, { allow: false, code: 'unpaid', error: 'pay first' }];
    const { backend } = await bench(() => answers.shift());
    const refuse = { kind: 'refuse', by: 'backend' };
    expect(await backend.connecting(CONNECT)).toMatchObject({ ...refuse, rejection: { code: 'forbidden' } });
    const rejection = { code: 'unpaid', error: 'pay first' };
    expect(await backend.connecting(CONNECT)).toEqual({ ...refuse, rejection });
  });
});

describe('A faulty answer', () => {
  const endlessly = (response: ServerResponse): void => {
    response.write(`{"allow":true,"data":"${'x'.repeat(70_000)}`);
  };
  test.each<[string, (response: ServerResponse) => void]>([
    ['another status', (response) => void response.writeHead(500).end('{"allow":true}')],
    ['204', (response) => void response.writeHead(204).end()],
    ['a redirect', (response) => void response.writeHead(301, { Location: '/elsewhere' }).end()],
    ['no JSON', (response) => void response.end('allow')],
    ['more than 64 KiB', endlessly],
    ['half an answer', (response) => void response.write('{"allow"', () => response.destroy())],
    ['no answer', (response) => void response.destroy()],
  ])('%s refuses, or allows if the settings say so', async (_, answer) => {
    const refusing = await bench(() => answer);
    expect(await refusing.backend.connecting(CONNECT)).toEqual({ kind: 'failed' });
    expect(await refusing.backend.joining?.(WHO, 'r', RULE)).toEqual({ kind: 'failed' });
    expect(await refusing.backend.publishing?.(WHO, WHAT, RULE)).toMatchObject({
      kind: 'refuse',
      rejection: { code: 'unavailable' },
    });
    const { backend } = await bench(() => answer, { allowsOnFailure: true });
    expect(await backend.connecting(CONNECT)).toEqual({ kind: 'allow', grant: {} });
    expect(await backend.joining?.(WHO, 'r', RULE)).toEqual({ kind: 'allow', grant: {} });
    expect(await backend.publishing?.(WHO, WHAT, RULE)).toEqual({ kind: 'publish', content: WHAT });
    expect(await backend.calling?.(WHO, 'm', '1')).toEqual({ kind: 'failed' });
    expect(await backend.joining?.(WHO, 'r', { ...RULE, join: 'backend' })).toEqual({ kind: 'failed' });
  });

  test('byte by byte is cut off in time', async () => {
    const drip = (response: ServerResponse): void => {
      const timer = setInterval(() => response.write(' '), 10);
      response.on('close', () => clearInterval(timer));
    };
    const { backend, counted } = await bench(() => drip, { timeoutMs: 100 });
    expect(await backend.connecting(CONNECT)).toEqual({ kind: 'failed' });
    expect(counted('connect', 'timeout')).toBe(1);
  });

  test('is logged without anything of the question or the answer', async () => {
    const { backend, lines } = await bench(() => ({ allow: 'a secret' }));
    await backend.connecting(CONNECT);
    expect(lines).toHaveLength(1);
    expect(lines.join()).toContain('allow must be true or false');
    expect(lines.join()).not.toMatch(/secret|alice|192\.0\.2\.7/);
  });
});

describe('join', () => {
  test('brings data and meta', async () => {
    const { backend } = await bench(() => ({ allow: true, data: [1], meta: { name: 'Al' } }));
    const grant = { data: '[1]', meta: '{"name":"Al"}' };
    expect(await backend.joining?.(WHO, 'r', RULE)).toEqual({ kind: 'allow', grant });
  });

  test.each([
    { meta: [] },
    { meta: 'x' },
    { meta: { x: 'x'.repeat(4_100) } },
    { ttl_seconds: '5' },
    { ttl_seconds: -1 },
  ])('fails with %j', async (fields) => {
    const { backend } = await bench(() => ({ allow: true, ...fields }));
    expect(await backend.joining?.(WHO, 'r', RULE)).toEqual({ kind: 'failed' });
  });

  test('holds for ttl_seconds for the same user, claims and room, yes or no', async () => {
    const clock = new TestClock();
    const { backend, fake } = await bench(({ room }) => ({ allow: room === 'r', ttl_seconds: 60 }), {
      clock,
    });
    const ask = async (room: string, claims: object = { a: 1 }): Promise<string | undefined> => {
      const evidence = { claims: { ...claims }, headers: {}, remote: '' };
      return (await backend.joining?.({ ...WHO, id: 'other', evidence }, room, RULE))?.kind;
    };
    expect([await ask('r'), await ask('r'), await ask('s'), await ask('s')]).toEqual([
      'allow',
      'allow',
      'refuse',
      'refuse',
    ]);
    expect(fake.asked).toHaveLength(2);
    await ask('r', { a: 2 });
    expect(fake.asked).toHaveLength(3);
    clock.advance(60_000);
    await ask('r');
    expect(fake.asked).toHaveLength(4);
  });

  test('is asked if the rule leaves joins to the backend, whatever the settings say', async () => {
    const { backend } = await bench(() => ({ allow: false }), { events: ['publish'] });
    expect(await backend.joining?.(WHO, 'r', RULE)).toMatchObject({ kind: 'allow' });
    expect(await backend.joining?.(WHO, 'r', { ...RULE, join: 'backend' })).toMatchObject({ kind: 'refuse' });
  });
});

describe('publish', () => {
  test.each<[object, object]>([
    [{}, { kind: 'publish', content: WHAT }],
    [{ message: { data: 2 } }, { kind: 'publish', content: { type: 'chat', event: 'said', data: '2' } }],
    [
      { message: { type: 'notification', event: null, room: 'x' } },
      { kind: 'publish', content: { type: 'notification', event: undefined, data: WHAT.data } },
    ],
    [{ suppress: true }, { kind: 'suppress' }],
    [{ suppress: false }, { kind: 'publish', content: WHAT }],
  ])('%j', async (fields, decision) => {
    const { backend } = await bench(() => ({ allow: true, ...fields }));
    expect(await backend.publishing?.(WHO, WHAT, RULE)).toEqual(decision);
  });

  test.each([
    { suppress: 'yes' },
    { message: 'hi' },
    { message: { type: 'system' } },
    { message: { event: 1 } },
  ])('fails with %j', async (fields) => {
    const { backend } = await bench(() => ({ allow: true, ...fields }));
    expect(await backend.publishing?.(WHO, WHAT, RULE)).toMatchObject({ kind: 'refuse' });
  });
});

test('A call has the result of the backend, or null', async () => {
  const answers = [{ allow: true, data: { sum: 3 } }, { allow: true }];
  const { backend } = await bench(() => answers.shift());
  expect(await backend.calling?.(WHO, 'sum', '[1,2]')).toEqual({ kind: 'result', data: '{"sum":3}' });
  expect(await backend.calling?.(WHO, 'sum', '[1,2]')).toEqual({ kind: 'result', data: 'null' });
});
