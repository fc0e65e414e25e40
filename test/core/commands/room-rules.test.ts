import { describe, expect, test } from 'vitest';
import { TestPod, type TestSocket, turns } from '../../support/test-pod.ts';
import { channelDialect } from '../../../src/protocol/dialects.ts';
import type { RoomRule } from '../../../src/core/ports/room-rules.ts';
import { RuleList } from '../../../src/core/base/permissions.ts';
import { publishToRoom } from '../../../src/core/commands/publish.ts';

/** A pod in which `rule` holds for the room `r`. */
function podWith(rule: Partial<RoomRule>): TestPod {
  const pod = new TestPod();
  pod.rules.set('r', rule);
  return pod;
}

type Client = ReturnType<TestPod['connect']>;

/** The answers that a client got: types and events with what their data says. */
function answers({ frames }: TestSocket): unknown[] {
  return frames.flatMap(({ type, event, data }) => {
    if (type === 'error') return [(data as { code: string }).code];
    if (type === 'ack') return ['ack'];
    return event === 'joined' ? ['joined'] : [];
  });
}

function said(frames: TestSocket['frames']): unknown[] {
  return frames.filter(({ type }) => type === 'chat').map(({ data }) => data);
}

describe('Publishing by the rule of a room', () => {
  const fromApi = { type: 'chat', from: 'system', data: '1', timestamp: '' } as const;

  test('`publish: nobody` refuses clients and the API', async () => {
    const pod = podWith({ publish: 'nobody' });
    const { send, socket } = pod.connect('ann', { room: 'r' });
    send({ type: 'chat', data: 1, ref: 'a' });
    send({ type: 'chat', room: 'other', data: 2, ref: 'b' });
    await turns();
    expect(answers(socket)).toEqual(['joined', 'forbidden', 'ack']);
    expect(() => publishToRoom(pod.pod, 'r', false, fromApi)).toThrow('forbidden');
  });

  test('`publish: server` refuses clients without `api:*`, and neither the API nor a client with it', async () => {
    const pod = podWith({ publish: 'server' });
    const permissions = new RuleList([{ action: 'publish', pattern: '*' }]);
    const client = pod.connect('ann', { room: 'r' });
    client.connection.renewPrincipal({ userId: 'ann', permissions });
    client.send({ type: 'chat', data: 1, ref: 'a' });
    const backend = pod.connect('backend');
    backend.send({ type: 'chat', room: 'r', data: 2, ref: 'b' });
    await publishToRoom(pod.pod, 'r', false, fromApi);
    await turns();
    expect(answers(client.socket)).toEqual(['joined', 'forbidden']);
    expect(answers(backend.socket)).toEqual(['ack']);
  });

  test('`max_data_bytes` counts the data as UTF-8, and everything up to it passes', async () => {
    const pod = podWith({ maxDataBytes: 12 });
    const { send, socket } = pod.connect('ann', { room: 'r' });
    for (const data of ['a'.repeat(10), 'a'.repeat(11), 'é'.repeat(5), 'é'.repeat(6)]) {
      send({ type: 'chat', data, ref: data });
      await turns();
    }
    expect(answers(socket)).toEqual(['joined', 'ack', 'too_large', 'ack', 'too_large']);
    expect(() => publishToRoom(pod.pod, 'r', true, { ...fromApi, data: '"01234567890"' })).toThrow(
      'too_large',
    );
  });

  test('`messages_per_second` limits each connection in each room, twice as many at once', async () => {
    const pod = podWith({ messagesPerSecond: 2 });
    pod.rules.set('s', { messagesPerSecond: 2 });
    const { send, socket } = pod.connect('ann', { room: 'r' });
    const other = pod.connect('ann');
    for (let n = 0; n < 5; n += 1) send({ type: 'chat', data: n, ref: `${n}` });
    send({ type: 'chat', room: 's', data: 5, ref: 'in s' });
    other.send({ type: 'chat', room: 'r', data: 6, ref: 'other' });
    await turns();
    expect(answers(socket)).toEqual(['joined', 'rate_limited', 'ack', 'ack', 'ack', 'ack', 'ack']);
    expect(socket.frames.find(({ type }) => type === 'error')?.data).toMatchObject({ retry_after_ms: 500 });
    expect(answers(other.socket)).toEqual(['ack']);
    pod.clock.advance(500);
    send({ type: 'chat', data: 7, ref: 'later' });
    await turns();
    expect(answers(socket).at(-1)).toBe('ack');
  });

  test.each([{ historySize: 0 }, { historyTtlMs: 0 }])(
    'in a room with %j every message is ephemeral',
    async (rule) => {
      const pod = podWith(rule);
      const { send, socket } = pod.connect('ann', { room: 'r' });
      send({ type: 'chat', data: 1, ref: 'a' });
      await turns();
      expect(socket.frames.find(({ type }) => type === 'chat')).toMatchObject({ ephemeral: true });
      const late = pod.connect('bob', { room: 'r', history: 10 });
      await turns();
      expect(said(late.socket.frames)).toEqual([]);
    },
  );

  test('a rule that comes into force in the middle of a conversation holds for the next message', async () => {
    const pod = podWith({});
    const { connection, send, socket } = pod.connect('ann', { room: 'r' });
    connection.renewPrincipal({
      userId: 'ann',
      permissions: new RuleList([{ action: 'publish', pattern: '*' }]),
    });
    send({ type: 'chat', data: 1, ref: 'a' });
    await turns();
    pod.rules.set('r', { publish: 'server' });
    pod.pod.roster.rulesChanged();
    send({ type: 'chat', data: 2, ref: 'b' });
    await turns();
    expect(said(socket.frames)).toEqual([1]);
    expect(answers(socket)).toEqual(['joined', 'ack', 'forbidden']);
  });
});

describe('Joining by the rule of a room', () => {
  const none = new RuleList([]);

  test('`join: anyone` needs no permission to join, and gives no other', async () => {
    const pod = podWith({ join: 'anyone' });
    const { connection, send, socket } = pod.connect('ann');
    connection.renewPrincipal({ userId: 'ann', permissions: none });
    send({ type: 'join', room: 'r' });
    send({ type: 'join', room: 's' });
    send({ type: 'chat', room: 'r', data: 1 });
    await turns();
    expect(answers(socket)).toEqual(['joined', 'forbidden', 'forbidden']);
  });

  test('where `match` names a user only that user joins', async () => {
    const pod = podWith({ onlyUser: 'ann' });
    const [ann, bob] = ['ann', 'bob'].map((user) => pod.connect(user));
    for (const client of [ann, bob]) client?.send({ type: 'join', room: 'r' });
    await turns();
    expect(ann && answers(ann.socket)).toEqual(['joined']);
    expect(bob && answers(bob.socket)).toEqual(['forbidden']);
  });

  test('`joined` names the rule and its limit, and says nothing where no rule fits', async () => {
    const pod = podWith({ match: 'r*', maxDataBytes: 99 });
    const { send, socket } = pod.connect('ann');
    send({ type: 'join', room: 'r' });
    send({ type: 'join', room: 's' });
    await turns();
    const [inR, inS] = socket.frames.filter(({ event }) => event === 'joined').map(({ data }) => data);
    expect(inR).toMatchObject({ rule: 'r*', max_data_bytes: 99 });
    expect(inS).not.toHaveProperty('rule');
    expect(inS).not.toHaveProperty('max_data_bytes');
  });
});

describe('A room whose presence is switched off', () => {
  test('lists and announces nobody, refuses statements, and counts', async () => {
    const pod = podWith({ presence: false });
    const ann = pod.connect('ann', { room: 'r' });
    await turns();
    const bob = pod.connect('bob', { room: 'r' });
    bob.send({ type: 'presence', data: { status: 'away' } });
    await turns();
    expect(ann.socket.frames.map(({ type, event }) => event ?? type)).toEqual(['connected', 'joined']);
    const joined = bob.socket.frames.find(({ event }) => event === 'joined');
    expect(joined?.data).toMatchObject({ count: 2, members: [] });
    expect(answers(bob.socket)).toEqual(['joined', 'forbidden']);
    expect(await pod.pod.roster.listAll('r')).toEqual({ members: [], count: 2 });
  });

  test('refuses `presence_join` in the channel dialect', async () => {
    const pod = podWith({ presence: false });
    const { send, socket } = pod.connect('bob', {}, channelDialect);
    send({ type: 'presence_join', channel: 'r', ref: 'a' });
    await turns();
    expect(socket.frames).toMatchObject([{ type: 'error', code: 'forbidden', ref: 'a' }]);
  });

  test('tells its members the count once when a reload switches it off, and names them again when it is on', async () => {
    const pod = podWith({});
    const { socket } = pod.connect('ann', { room: 'r' });
    await turns();
    for (const presence of [false, false, true]) {
      pod.rules.set('r', { presence });
      pod.pod.roster.rulesChanged();
      await turns();
      pod.clock.advance(1_000);
      await turns();
    }
    const told = socket.frames.filter(({ event }) => event === 'members').map(({ data }) => data);
    expect(told).toEqual([{ count: 1 }]);
    pod.connect('bob', { room: 'r' });
    await turns();
    expect(socket.frames.at(-1)).toMatchObject({ type: 'presence', from: 'bob' });
  });

  test('`events_limit` of the rule decides from how many members on only the count is told', async () => {
    const pod = podWith({ presenceEventsLimit: 1 });
    const { socket } = pod.connect('ann', { room: 'r' });
    await turns();
    pod.connect('bob', { room: 'r' });
    await turns();
    pod.clock.advance(1_000);
    await turns();
    expect(socket.frames.at(-1)).toMatchObject({ event: 'members', data: { count: 2 } });
  });
});

describe('A room whose rule limits its members', () => {
  const inRoom = ({ socket }: { socket: TestSocket }): unknown => answers(socket).at(-1);

  test('takes so many users, and a second connection of one of them', async () => {
    const pod = podWith({ maxMembers: 2 });
    const clients = ['ann', 'bob', 'cid', 'ann'].map((user) => pod.connect(user));
    for (const { send } of clients) send({ type: 'join', room: 'r' });
    await turns();
    expect(clients.map(inRoom)).toEqual(['joined', 'joined', 'room_full', 'joined']);
  });

  test('counts those who only listen in the channel dialect, and not those who are present without listening', async () => {
    const pod = podWith({ maxMembers: 1 });
    const shown = pod.connect('shown', {}, channelDialect);
    shown.send({ type: 'presence_join', channel: 'r', ref: 'a' });
    await turns();
    const [ann, bob] = ['ann', 'bob'].map((user) => pod.connect(user, {}, channelDialect));
    for (const client of [ann, bob]) client?.send({ type: 'subscribe', channel: 'r', ref: 'b' });
    await turns();
    expect(ann?.socket.frames.at(-1)?.type).toBe('subscribed');
    expect(bob?.socket.frames.at(-1)).toMatchObject({ type: 'error', code: 'room_full' });
  });

  test('gives a place back after a leave and a close, and keeps that of a lost connection for the grace period', async () => {
    const pod = podWith({ maxMembers: 1 });
    const [ann, bob] = ['ann', 'bob'].map((user) => pod.connect(user)) as [Client, Client];
    const asks = async (client: Client): Promise<unknown> => {
      client.send({ type: 'join', room: 'r' });
      await turns();
      return inRoom(client);
    };
    expect(await asks(ann)).toBe('joined');
    expect(await asks(bob)).toBe('room_full');
    ann.send({ type: 'leave', room: 'r' });
    await turns();
    expect(await asks(bob)).toBe('joined');
    pod.gateway.closed(bob.connection, 1000);
    await turns();
    expect(await asks(ann)).toBe('joined');
    pod.gateway.closed(ann.connection, 1006);
    const cid = pod.connect('cid');
    expect(await asks(cid)).toBe('room_full');
    expect(await asks(pod.connect('ann'))).toBe('joined');
    pod.clock.advance(5_000);
    await turns();
    expect(await asks(cid)).toBe('room_full');
  });

  test('forgets the places of a room whose limit a reload takes away', async () => {
    const pod = podWith({ maxMembers: 1 });
    const reload = async (rule: Partial<RoomRule>): Promise<void> => {
      pod.rules.set('r', rule);
      pod.pod.roster.rulesChanged();
      await turns();
    };
    const [ann, bob] = ['ann', 'bob'].map((user) => pod.connect(user)) as [Client, Client];
    ann.send({ type: 'join', room: 'r' });
    await turns();
    await reload({});
    ann.send({ type: 'leave', room: 'r' });
    await turns();
    await reload({ maxMembers: 1 });
    bob.send({ type: 'join', room: 'r' });
    await turns();
    expect(inRoom(bob)).toBe('joined');
  });

  test('throws nobody out when a reload brings the limit, and admits again only below it', async () => {
    const pod = podWith({});
    const [ann, bob, cid] = ['ann', 'bob', 'cid'].map((user) => pod.connect(user)) as [
      Client,
      Client,
      Client,
    ];
    for (const { send } of [ann, bob]) send({ type: 'join', room: 'r' });
    await turns();
    pod.rules.set('r', { maxMembers: 1 });
    pod.pod.roster.rulesChanged();
    await turns();
    cid.send({ type: 'join', room: 'r' });
    ann.send({ type: 'leave', room: 'r' });
    await turns();
    expect(inRoom(cid)).toBe('room_full');
    cid.send({ type: 'join', room: 'r' });
    bob.send({ type: 'leave', room: 'r' });
    await turns();
    cid.send({ type: 'join', room: 'r' });
    await turns();
    expect(answers(cid.socket)).toEqual(['room_full', 'room_full', 'joined']);
  });
});

describe('A room that keeps its last value', () => {
  const fromApi = {
    type: 'chat',
    from: 'system',
    timestamp: '2026-01-01T00:00:00.000Z',
    isFromServer: true,
  } as const;
  const lastValueTtlMs = 60_000;

  test('gives it to a client that joins without asking for history, and needs no permission for it', async () => {
    const pod = podWith({ lastValue: 'any', lastValueTtlMs });
    pod.connect('ann').send({ type: 'chat', room: 'r', data: 1 });
    await turns();
    pod.connect('ann').send({ type: 'chat', room: 'r', data: 2, ephemeral: true });
    await turns();
    const { connection, socket, send } = pod.connect('bob');
    connection.renewPrincipal({
      userId: 'bob',
      permissions: new RuleList([{ action: 'join', pattern: '*' }]),
    });
    send({ type: 'join', room: 'r' });
    await turns();
    expect(said(socket.frames)).toEqual([1]);
    expect(socket.frames.find(({ event }) => event === 'joined')?.data).toMatchObject({ replayed: 1 });
    const resumes = pod.connect('cid');
    resumes.send({ type: 'join', room: 'r', history: 5 });
    await turns();
    expect(said(resumes.socket.frames)).toEqual([1]);
  });

  test('with `server` it is the newest message of the API', async () => {
    const pod = podWith({ lastValue: 'server', lastValueTtlMs });
    await publishToRoom(pod.pod, 'r', false, { ...fromApi, data: '1' });
    pod.connect('ann').send({ type: 'chat', room: 'r', data: 2 });
    await turns();
    const { socket } = pod.connect('bob', { room: 'r' });
    await turns();
    expect(said(socket.frames)).toEqual([1]);
  });

  test('gives it once in a room without history, also if it is published while the client joins', async () => {
    const pod = podWith({ lastValue: 'any', lastValueTtlMs, historySize: 0 });
    await publishToRoom(pod.pod, 'r', false, { ...fromApi, data: '1' });
    const early = pod.connect('ann', { room: 'r' });
    const { socket } = pod.connect('bob', { room: 'r' });
    await publishToRoom(pod.pod, 'r', false, { ...fromApi, data: '2' });
    await turns();
    expect(said(socket.frames).filter((data) => data === 2)).toEqual([2]);
    expect(said(early.socket.frames).filter((data) => data === 2)).toEqual([2]);
    const late = pod.connect('cid', { room: 'r' });
    await turns();
    expect(late.socket.frames.find(({ type }) => type === 'chat')).toMatchObject({
      data: 2,
      ephemeral: true,
    });
  });
});
