import { channelDialect, messageDialect } from '../../../src/protocol/dialects.ts';
import { describe, expect, test } from 'vitest';
import { TestPod, turns } from '../../support/test-pod.ts';
import type { Hooks, JoinDecision, CallDecision } from '../../../src/core/ports/hooks.ts';
import { arrive } from '../../../src/core/commands/arrive.ts';
import { hooksWith } from '../../support/hooks.ts';
import { inOrder } from '../../../src/core/commands/hook-chain.ts';
import { joinByServer } from '../../../src/core/commands/join-by-server.ts';
import { RuleList } from '../../../src/core/base/permissions.ts';

const NOTHING = new RuleList([]);
const ALLOWED: JoinDecision = { kind: 'allow', grant: {} };

describe('Presence in a channel that the client does not hear', () => {
  const presenceJoin = { type: 'presence_join', channel: 'r', payload: { x: 1 }, ref: 'p' };

  test('is asked about like a join, and refused where the hooks or the rule refuse', async () => {
    const refused: JoinDecision = {
      kind: 'refuse',
      by: 'backend',
      rejection: { code: 'forbidden', error: 'no' },
    };
    for (const [decision, onlyUser, type] of [
      [ALLOWED, undefined, 'ack'],
      [refused, undefined, 'error'],
      [ALLOWED, 'bob', 'error'],
    ] as const) {
      const pod = new TestPod({}, hooksWith({ joining: () => Promise.resolve(decision) }));
      pod.rules.set('r', { onlyUser });
      const { socket, send } = pod.connect('alice', {}, channelDialect);
      send(presenceJoin);
      await turns(10);
      expect(socket.frames.find((frame) => 'ref' in frame)?.type).toBe(type);
      const { count } = await pod.pod.roster.list('r');
      expect(count).toBe(type === 'ack' ? 1 : 0);
    }
  });
});

describe('A message that a hook lets pass', () => {
  test('becomes the last value of a room without history', async () => {
    const publishing: Hooks['publishing'] = (_, what) => ({ kind: 'publish', content: what });
    const pod = new TestPod({ historySize: 0 }, hooksWith({ publishing }));
    pod.rules.set('r', { lastValue: 'any', lastValueTtlMs: 60_000 });
    pod.connect('alice').send({ type: 'chat', room: 'r', data: 1 });
    await turns();
    const { socket } = pod.connect('bob', { room: 'r' });
    await turns();
    expect(socket.frames.at(-1)).toMatchObject({ type: 'chat', data: 1 });
  });

  test('is not asked about if the rule of its room refuses it anyway', async () => {
    const asked: unknown[] = [];
    const publishing: Hooks['publishing'] = (_, what) => (
      asked.push(what),
      { kind: 'publish', content: what }
    );
    const pod = new TestPod({}, hooksWith({ publishing }));
    pod.rules.set('small', { maxDataBytes: 3 });
    pod.rules.set('none', { publish: 'nobody' });
    const { socket, send } = pod.connect('alice');
    send({ type: 'chat', room: 'small', data: '123', ref: 'a' });
    send({ type: 'chat', room: 'none', data: 1, ref: 'b' });
    await turns();
    expect(asked).toEqual([]);
    expect(socket.frames.slice(1).map(({ data }) => (data as { code: string }).code)).toEqual([
      'too_large',
      'forbidden',
    ]);
  });
});

describe('An arrival', () => {
  test('that has expired already is refused like an expired token', async () => {
    const hooks = hooksWith({
      connecting: () => Promise.resolve({ kind: 'allow', grant: { expiresAt: 1_000 } }),
    });
    const arrival = { occasion: 'connect', id: 'c', userId: null, evidence: undefined } as const;
    const known = { userId: 'alice', permissions: NOTHING };
    expect(await arrive(hooks, 1_000, arrival, known)).toMatchObject({ status: 401, code: 'token_expired' });
    expect(await arrive(hooks, 999, arrival, known)).toMatchObject({ principal: { userId: 'alice' } });
  });
});

describe('A join', () => {
  test('brings data and the first meta, and others see it', async () => {
    const grant = { data: '{"topic":"tea"}', meta: '{"name":"Al"}' };
    const { connect } = bound(new TestPod({}, hooksWith({ joining: () => ({ kind: 'allow', grant }) })));
    const alice = connect('alice', { room: 'r' });
    await turns();
    expect(alice.socket.frames.at(-1)).toMatchObject({
      event: 'joined',
      data: { data: { topic: 'tea' }, members: [{ user_id: 'alice', meta: { name: 'Al' } }], count: 1 },
    });
  });

  test.each<[JoinDecision, string]>([
    [{ kind: 'refuse', by: 'backend', rejection: { code: 'forbidden', error: 'no' } }, 'forbidden'],
    [{ kind: 'failed' }, 'unavailable'],
  ])('is rejected by %j', async (decision, code) => {
    const { connect } = bound(new TestPod({}, hooksWith({ joining: () => Promise.resolve(decision) })));
    const { socket, send, connection } = connect('alice');
    send({ type: 'join', room: 'r', ref: '1' });
    await turns();
    expect(socket.frames.at(-1)).toMatchObject({ type: 'error', ref: '1', room: 'r', data: { code } });
    expect(connection.memberships).toEqual([]);
  });

  test('keeps the order of its connection; a ping and other connections wait for nothing', async () => {
    const { promise, resolve } = Promise.withResolvers<JoinDecision>();
    const { connect } = bound(
      new TestPod({}, hooksWith({ joining: (_, room) => (room === 'slow' ? promise : ALLOWED) })),
    );
    const [alice, bob] = [connect('alice'), connect('bob')];
    alice.send({ type: 'join', room: 'slow' });
    alice.send({ type: 'join', room: 'quick' });
    alice.send({ type: 'ping', ref: 'p' });
    bob.send({ type: 'join', room: 'quick' });
    await turns();
    const kinds = (): unknown[] => alice.socket.frames.slice(1).map(({ type, room }) => room ?? type);
    expect(kinds()).toEqual(['pong']);
    expect(bob.socket.frames.at(-1)).toMatchObject({ event: 'joined', room: 'quick' });
    resolve(ALLOWED);
    await turns(10);
    expect(kinds()).toEqual(['pong', 'slow', 'quick']);
  });

  test('that the handshake was about is not asked again', async () => {
    const asked: string[] = [];
    const joining = (_: unknown, room: string): JoinDecision => (asked.push(room), ALLOWED);
    const { connect } = bound(new TestPod({}, hooksWith({ joining })));
    const { socket } = connect('alice', { room: 'r' }, messageDialect, { welcome: { join: { data: '1' } } });
    await turns();
    expect(socket.frames.at(-1)).toMatchObject({ event: 'joined', data: { data: 1 } });
    expect(asked).toEqual([]);
  });
});

describe('Rooms that the server gives', () => {
  const refusing = hooksWith({ joining: () => ({ kind: 'failed' }) });

  test('are joined without permission, asked of nobody, and may be read but not published in', async () => {
    const { connect } = bound(new TestPod({}, refusing));
    const principal = { userId: 'alice', permissions: NOTHING };
    const alice = connect('alice', {}, messageDialect, {
      principal,
      welcome: { rooms: ['a', 'b'], data: '"hi"' },
    });
    await turns();
    expect(alice.socket.frames.map(({ event, room }) => room ?? event)).toEqual(['connected', 'a', 'b']);
    expect(alice.socket.frames[0]).toMatchObject({ data: { data: 'hi', user_id: 'alice' } });
    alice.send({ type: 'join', room: 'a', last_id: 'x' });
    alice.send({ type: 'chat', room: 'a', data: 1, ref: '1' });
    await turns();
    expect(alice.socket.frames.slice(3)).toMatchObject([
      { event: 'joined', room: 'a', data: { recovered: false, reason: 'unknown_position' } },
      { type: 'error', data: { code: 'forbidden' } },
    ]);
  });

  test('are joined once the dialect is known, before the first frame is obeyed', async () => {
    const { connect } = bound(new TestPod({}, refusing));
    const { socket, send } = connect('alice', {}, messageDialect, {
      dialect: undefined,
      welcome: { rooms: ['a'] },
    });
    await turns();
    expect(socket.frames).toEqual([]);
    send({ type: 'leave', room: 'a', ref: '1' });
    send({ type: 'leave', room: 'a', ref: '2' });
    await turns();
    expect(socket.frames).toMatchObject([
      { event: 'connected' },
      { event: 'joined', room: 'a' },
      { event: 'left', room: 'a' },
      { type: 'error', data: { code: 'not_in_room' } },
    ]);
  });

  test('are heard in the channel dialect, without presence', async () => {
    const { connect, pod } = bound(new TestPod({}, refusing));
    const { connection } = connect('alice', {}, channelDialect, { welcome: { rooms: ['a'] } });
    await turns();
    expect(connection.membership('a')).toMatchObject({ listen: 1, present: false });
    expect(await pod.roster.list('a')).toMatchObject({ count: 0 });
  });

  test('are an error frame if the connection is in too many rooms', async () => {
    const { connect, pod } = bound(new TestPod({ maxRoomsPerConnection: 1 }));
    const { connection, socket } = connect('alice', { room: 'r' });
    await turns();
    await joinByServer(pod, connection, 'a', 'api');
    await turns();
    expect(socket.frames.at(-1)).toMatchObject({
      type: 'error',
      room: 'a',
      data: { code: 'too_many_rooms' },
    });
    expect(connection.isGiven('a')).toBe(false);
  });
});

describe('A call', () => {
  const answers: Record<string, CallDecision> = {
    sum: { kind: 'result', data: '{"sum":3}' },
    none: { kind: 'unknown' },
    no: { kind: 'refuse', by: 'backend', rejection: { code: 'unavailable', error: 'closed' } },
    gone: { kind: 'failed' },
  };
  const calling: Hooks['calling'] = (_, method) => Promise.resolve(answers[method] ?? { kind: 'failed' });

  test.each([messageDialect, channelDialect])('is answered in the $name dialect', async (dialect) => {
    const { connect } = bound(new TestPod({}, hooksWith({ calling })));
    const { socket, send } = connect('alice', {}, dialect);
    for (const method of ['sum', 'none', 'no', 'gone'])
      send({ type: 'call', method, data: [1, 2], ref: method });
    await turns(20);
    const flat = socket.frames
      .filter((frame) => frame.event !== 'connected')
      .map((frame) => JSON.parse(JSON.stringify(frame)) as Record<string, unknown>);
    expect(flat[0]).toEqual({ type: 'result', ref: 'sum', data: { sum: 3 } });
    const code =
      dialect === messageDialect
        ? (value: string) => ({ data: { code: value } })
        : (value: string) => ({ code: value });
    expect(flat.slice(1)).toMatchObject([
      { type: 'error', ref: 'none', ...code('unknown_method') },
      { type: 'error', ref: 'no', ...code('unavailable') },
      { type: 'error', ref: 'gone', ...code('unavailable') },
    ]);
  });

  test('needs a method, and is unknown where nobody answers calls', async () => {
    const on = bound(new TestPod({}, hooksWith({ calling }))).connect('alice');
    const off = bound(new TestPod()).connect('alice');
    for (const { send } of [on, off]) send({ type: 'call', ref: '1' });
    await turns();
    expect(on.socket.frames.at(-1)).toMatchObject({ data: { code: 'invalid_message' } });
    expect(off.socket.frames.at(-1)).toMatchObject({ data: { code: 'unknown_type' } });
    for (let n = 0; n < 9; n += 1) on.send({ type: 'call' });
    await turns();
    expect(on.socket.closeCode).toBe(1008);
  });
});

test('A leave is told once for each room that was joined, also at the end', async () => {
  const told: string[] = [];
  const left: Hooks['left'] = (_, room) => void told.push(room);
  const test = new TestPod({}, hooksWith({ left }));
  const { connect } = bound(test);
  const { connection, send } = connect('alice', { room: 'a' });
  send({ type: 'join', room: 'b' });
  await turns();
  send({ type: 'leave', room: 'a' });
  await turns();
  expect(told).toEqual(['a']);
  test.gateway.closed(connection, 1000);
  await turns();
  expect(told).toEqual(['a', 'b']);
});

describe('Hooks in order', () => {
  const ask = async (first: Partial<Hooks>, second: Partial<Hooks>): Promise<unknown> => {
    const { calling, joining } = inOrder(hooksWith(first), hooksWith(second));
    const who = { id: 'c', userId: 'alice', rooms: [] };
    const rule = new TestPod().pod.rules.ruleOf('r');
    return joining === undefined ? calling?.(who, 'm', '1') : joining(who, 'r', rule);
  };
  const join = (data: string | undefined, meta?: string): Partial<Hooks> => ({
    joining: () => ({ kind: 'allow', grant: { ...(data && { data }), ...(meta && { meta }) } }),
  });

  test('both allow a join, and the second replaces what the first granted', async () => {
    const granted = { kind: 'allow', grant: { data: '2', meta: '{}' } };
    expect(await ask(join('1', '{}'), join('2'))).toEqual(granted);
    const failing: Partial<Hooks> = { joining: () => Promise.resolve({ kind: 'failed' }) };
    expect(await ask(failing, join('2'))).toEqual({ kind: 'failed' });
    expect(await ask(join('1'), failing)).toEqual({ kind: 'failed' });
  });

  test('the second answers the calls that the first does not know', async () => {
    const answering = (decision: CallDecision): Partial<Hooks> => ({
      calling: () => Promise.resolve(decision),
    });
    const [one, two] = [answering({ kind: 'result', data: '1' }), answering({ kind: 'result', data: '2' })];
    expect(await ask(one, two)).toEqual({ kind: 'result', data: '1' });
    expect(await ask(answering({ kind: 'unknown' }), two)).toEqual({ kind: 'result', data: '2' });
  });

  test('the first learns the end of a connection that only the second refuses', async () => {
    const ended: (string | null)[] = [];
    const first = hooksWith({ disconnected: ({ id }) => void ended.push(id) });
    const chain = inOrder(first, hooksWith({ connecting: () => Promise.resolve({ kind: 'failed' }) }));
    await chain.connecting({ occasion: 'connect', id: 'c', userId: null });
    await chain.connecting({ occasion: 'http', id: null, userId: 'alice' });
    expect(ended).toEqual(['c']);
  });
});

/** So that a test can destructure. */
function bound(test: TestPod): { connect: TestPod['connect']; pod: TestPod['pod'] } {
  return { connect: test.connect.bind(test), pod: test.pod };
}

test('A message whose ref was acknowledged is not decided about again, by hooks that decide once', async () => {
  for (const decidesOnce of [true, false]) {
    let asked = 0;
    const publishing: Hooks['publishing'] = (_, content) => {
      asked += 1;
      return Promise.resolve({ kind: 'publish', content });
    };
    const { connect } = bound(new TestPod({}, hooksWith({ publishing, decidesOnce })));
    const { socket, send } = connect('alice', { room: 'r' });
    for (const message of [
      { type: 'chat', room: 'r', data: 1, ref: '1' },
      { type: 'chat', to: 'alice', data: 1, ref: '2' },
    ]) {
      send(message);
      await turns(10);
      send(message);
      await turns(10);
    }
    expect(asked).toBe(decidesOnce ? 2 : 4);
    const acks = socket.frames.filter(({ type }) => type === 'ack').map(({ id }) => id);
    expect([acks[0], acks[2]]).toEqual([acks[1], acks[3]]);
    expect(socket.frames.filter(({ type }) => type === 'chat')).toHaveLength(2);
  }
});
