import { connect, nanos, type NatsConnection } from '@nats-io/transport-node';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { heardIn, podLikeOn } from './pod-like.ts';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { NatsClaims } from '../../../src/engines/nats/history/claims.ts';
import { NatsHistory } from '../../../src/engines/nats/history/history.ts';
import { encodeBody } from '../../../src/protocol/message.ts';
import { natsOf } from './world.ts';
import type { ReadFrom } from '../../../src/core/ports/broker.ts';
import { systemClock } from '../../../src/platform.ts';
import { startProxy } from '../../support/proxy.ts';

const PATIENT = { timeout: 20_000 };
const ALL = 1_000;

async function operator(port: number): Promise<NatsConnection> {
  const connection = await connect({ servers: `127.0.0.1:${port}` });
  onTestFinished(() => connection.close());
  return connection;
}

function body(n: number): string {
  return encodeBody({
    type: 'chat',
    room: 'r',
    from: 'alice',
    data: String(n),
    timestamp: '2026-01-01T00:00:00.000Z',
  });
}

describe('two pods', () => {
  test('that use one key at the same time publish once', async () => {
    const nats = await natsOf();
    const [here, there] = [await podLikeOn(nats), await podLikeOn(nats)];
    for (const { broker } of [here, there]) await broker.subscribe('r');
    for (let n = 0; n < 20; n += 1) {
      const key = `alice\n${n}`;
      const both = await Promise.all([
        here.broker.publish('r', body(n), { key }),
        there.broker.publish('r', body(n), { key }),
      ]);
      expect(both[0].id).toBe(both[1].id);
    }
    await here.broker.publish('r', body(20));
    for (const pod of [here, there]) {
      await expect.poll(() => heardIn(pod, 'r').length, PATIENT).toBe(21);
    }
    expect(heardIn(here, 'r')).toEqual(heardIn(there, 'r'));
  });

  test('receive messages of rooms whose names contain every allowed character', async () => {
    const nats = await natsOf();
    const [here, there] = [await podLikeOn(nats), await podLikeOn(nats)];
    const rooms = ['a.b.c', 'a', 'A-Z_0:@.', 'a.b', '0'];
    for (const room of rooms) for (const { broker } of [here, there]) await broker.subscribe(room);
    for (const room of rooms) await here.broker.publish(room, body(1));
    for (const room of rooms) {
      await expect.poll(() => heardIn(there, room).length, PATIENT).toBe(1);
      expect(await there.broker.read(room, { newest: 5 }, ALL)).toMatchObject({
        messages: [{ body: body(1) }],
      });
    }
    expect(there.messages).toHaveLength(rooms.length);
  });

  test('receive each other’s messages that are not stored', async () => {
    const nats = await natsOf();
    const [here, there] = [await podLikeOn(nats), await podLikeOn(nats)];
    for (const { broker } of [here, there]) await broker.subscribe('r');
    const message = { id: 'x~1', body: body(1), trace: undefined };
    const notes = [
      { kind: 'global', ...message },
      { kind: 'direct', ...message, to: 'a user' },
      { kind: 'kick', to: 'conn:1', reason: 'enough' },
    ] as const;
    await here.broker.tell('r', message);
    for (const note of notes) await here.broker.tellAll(note);
    await expect.poll(() => there.notes.length, PATIENT).toBe(3);
    expect([there.fleeting, there.notes]).toEqual([[message], notes]);
    expect([here.fleeting, here.notes]).toEqual([[], []]);
  });
});

test('a message that is read equals the one that came by subscription, with its provisional id', async () => {
  const nats = await natsOf();
  const [here, there, deaf] = [await podLikeOn(nats), await podLikeOn(nats), await podLikeOn(nats)];
  for (const { broker } of [here, there]) await broker.subscribe('r');
  const { position } = await deaf.broker.read('r', { newest: 0 }, ALL);
  for (const options of [{ key: 'k' }, {}]) await here.broker.publish('r', body(1), options);
  await expect.poll(() => heardIn(there, 'r').length, PATIENT).toBe(2);
  const live = heardIn(there, 'r');
  for (const { provisionalId } of live) expect(provisionalId).toMatch(/~/);
  expect(heardIn(here, 'r')).toEqual(live);
  for (const { broker } of [here, there, deaf]) {
    const names = async (from: ReadFrom): Promise<unknown> =>
      (await broker.read('r', from, ALL)).messages.map(({ id, provisionalId }) => [id, provisionalId]);
    for (const from of [{ newest: 10 }, { after: position }, { since: 0 }])
      expect(await names(from)).toEqual(live.map(({ id, provisionalId }) => [id, provisionalId]));
  }
});

test('a stored message that did not come by subscription is read, and the other pods are told to compare', async () => {
  const nats = await natsOf();
  const [here, there] = [await podLikeOn(nats), await podLikeOn(nats)];
  for (const { broker } of [here, there]) await broker.subscribe('r');
  const start = await there.broker.read('r', { newest: 0 }, ALL);
  const { jsm, config } = await streamOf(nats.port);
  // A stream that does not publish stored messages again.
  const { republish: _, ...mute } = config;
  await jsm.streams.delete('test-history');
  await jsm.streams.add(mute);
  const { id } = await here.broker.publish('r', body(1));
  expect(heardIn(here, 'r')).toMatchObject([{ id, body: body(1) }]);
  await expect.poll(() => there.newest.at(-1), PATIENT).toEqual({ room: 'r', position: id });
  const missed = await there.broker.read('r', { after: start.position }, ALL);
  expect(missed).toMatchObject({ messages: [{ id, prev: start.position, body: body(1) }], position: id });
  expect(missed.missing).toBeUndefined();
});

/**
 * Makes the server forget a message id. A server from 2.14 on may check its ids once more by the former window, and not
 * again before that has passed; so the window is changed until the id is forgotten.
 */
async function forget(msgID: string, port: number): Promise<void> {
  const { jsm } = await streamOf(port);
  const js = jsm.jetstream();
  let windowMs = 100;
  const isKnown = async (): Promise<boolean> => {
    await jsm.streams.update('test-history', { duplicate_window: nanos((windowMs += 1)) });
    return (await js.publish('test.history.other', '', { msgID })).duplicate;
  };
  await expect.poll(isKnown, PATIENT).toBe(false);
}

async function streamOf(port: number) {
  const jsm = await jetstreamManager(await operator(port));
  const { config } = await jsm.streams.info('test-history');
  return { jsm, config };
}

test('a room known only to its subscribers continues after its newest position', async () => {
  const nats = await natsOf();
  const here = await podLikeOn(nats);
  await here.broker.subscribe('r');
  const { id } = await here.broker.publish('r', body(1));
  const { jsm } = await streamOf(nats.port);
  // As if a day had passed.
  await jsm.streams.purge('test-history', { filter: 'test.history.r' });
  const next = await here.broker.publish('r', body(2));
  expect(heardIn(here, 'r')).toMatchObject([{ id }, { id: next.id, prev: id }]);
  const page = await here.broker.read('r', { after: id }, ALL);
  expect(page).toMatchObject({ messages: [{ id: next.id, prev: id }], position: next.id });
  expect(page.missing).toBeUndefined();
});

test('a message that another program put into the stream is not delivered', async () => {
  const nats = await natsOf();
  const here = await podLikeOn(nats);
  await here.broker.subscribe('r');
  const first = await here.broker.publish('r', body(1));
  const js = jetstream(await operator(nats.port));
  for (const text of ['', 'nonsense', 'name then no number\n{}']) await js.publish('test.history.r', text);
  const last = await here.broker.publish('r', body(2));
  expect(heardIn(here, 'r').map(({ id }) => id)).toEqual([first.id, last.id]);
  const page = await here.broker.read('r', { newest: 10 }, ALL);
  expect(page.messages.map(({ id }) => id)).toEqual([first.id, last.id]);
});

test('a message that was delayed on its way is returned for a moment before it was stored', async () => {
  const nats = await natsOf();
  const here = await podLikeOn(nats);
  await here.broker.subscribe('r');
  await here.broker.publish('r', body(1));
  const published = Date.now();
  await expect.poll(() => Date.now() - published).toBeGreaterThan(20);
  const since = Date.now();
  const connection = await operator(nats.port);
  const record = `x~2 ${since - 5_000} 0 \n${body(2)}`;
  await jetstream(connection).publish('test.history.r', record);
  const later = await podLikeOn(nats);
  for (const { broker } of [here, later]) {
    await expect
      .poll(async () => (await broker.read('r', { since }, ALL)).messages, PATIENT)
      .toMatchObject([{ body: body(2) }]);
  }
});

test('a publication stored before it was delivered provisionally is read with its provisional id', async () => {
  const nats = await natsOf();
  const proxy = await startProxy(nats.port);
  onTestFinished(() => proxy.stop());
  const [here, there] = [await podLikeOn({ port: proxy.port }), await podLikeOn(nats)];
  for (const { broker } of [here, there]) await broker.subscribe('r');
  await here.broker.publish('r', body(1));
  // NATS receives it, but its answer does not reach this pod.
  proxy.silence('to-client');
  const published = await here.broker.publish('r', body(2));
  expect(published.settled).toBeDefined();
  expect(here.provisional).toMatchObject([{ id: published.id }]);
  await expect.poll(() => heardIn(there, 'r').length, PATIENT).toBe(2);
  const [, stored] = heardIn(there, 'r');
  expect(stored?.provisionalId).toBe(published.id);
  proxy.breakAll();
  proxy.resume();
  const settled = await published.settled;
  expect(settled).toEqual({ id: stored?.id, duplicate: true, maybeFirst: true });
  await expect.poll(() => here.forgotten, PATIENT).toEqual([stored?.id]);
  const late = await podLikeOn(nats);
  for (const { broker } of [here, there, late]) {
    const { messages } = await broker.read('r', { newest: 5 }, ALL);
    expect(messages).toHaveLength(2);
    expect(messages[1]).toMatchObject({ id: stored?.id, provisionalId: published.id });
  }
});

test('a publication sent again after NATS forgot its message id is found, and not published twice', async () => {
  const nats = await natsOf();
  const proxy = await startProxy(nats.port);
  onTestFinished(() => proxy.stop());
  let later = 0;
  const clock = { ...systemClock, elapsed: () => systemClock.elapsed() + later };
  const [here, there] = [await podLikeOn({ port: proxy.port, clock }), await podLikeOn(nats)];
  for (const { broker } of [here, there]) await broker.subscribe('r');
  proxy.silence('to-client');
  const published = await here.broker.publish('r', body(1));
  await expect.poll(() => heardIn(there, 'r').length, PATIENT).toBe(1);
  await forget(published.id, nats.port);
  // As if the outage had been so long.
  later = 200_000;
  proxy.breakAll();
  proxy.resume();
  expect(await published.settled).toEqual({
    id: heardIn(there, 'r')[0]?.id,
    duplicate: true,
    maybeFirst: true,
  });
  expect((await there.broker.read('r', { newest: 5 }, ALL)).messages).toHaveLength(1);
});

test('a key is known after NATS restarted and its message was trimmed', async () => {
  const nats = await natsOf();
  const here = await podLikeOn({ port: nats.port, historySize: 2 });
  const first = await here.broker.publish('r', body(1), { key: 'k' });
  for (let n = 2; n <= 6; n += 1) await here.broker.publish('r', body(n));
  await nats.kill();
  await nats.start();
  const there = await podLikeOn({ port: nats.port, historySize: 2 });
  expect(await there.broker.publish('r', body(1), { key: 'k' })).toEqual({ id: first.id, duplicate: true });
});

/** Replaces the history's answers; the last one is repeated. */
async function answering(port: number, ...errors: (object | undefined)[]): Promise<{ ids: string[] }> {
  const { jsm } = await streamOf(port);
  await jsm.streams.delete('test-history');
  const connection = await operator(port);
  const ids: string[] = [];
  connection.subscribe('test.history.*', {
    callback: (_error, message) => {
      ids.push(message.headers?.get('Nats-Msg-Id') ?? '');
      const error = errors.length > 1 ? errors.shift() : errors[0];
      const answer = { stream: 'test-history', ...(error === undefined ? { seq: 7 } : { error }) };
      message.respond(JSON.stringify(answer));
    },
  });
  await connection.flush();
  return { ids };
}

describe('a publication', () => {
  const inProcess = { code: 409, err_code: 10_158, description: 'duplicate message id is in process' };
  const full = { code: 400, err_code: 10_002, description: 'resource limits exceeded for account' };
  const crowded = { code: 429, err_code: 10_167, description: 'too many requests' };

  test('whose earlier copy is still being stored is sent again under the same id', async () => {
    const nats = await natsOf();
    const { broker } = await podLikeOn(nats);
    const { ids } = await answering(nats.port, inProcess, inProcess, undefined);
    const { settled } = await broker.publish('r', body(1));
    expect([settled, ids.length, new Set(ids).size]).toEqual([undefined, 3, 1]);
  });

  test('waits if its earlier copy takes long, or if the account’s storage is full', async () => {
    // Once for longer than ANSWER_MS.
    for (const [error, times] of [
      [inProcess, 60],
      [full, 1],
      [crowded, 1],
    ] as const) {
      const nats = await natsOf();
      const { backbone, broker } = await podLikeOn(nats);
      await answering(nats.port, ...Array.from({ length: times }, () => error), undefined);
      const { settled } = await broker.publish('r', body(1));
      expect(settled).toBeInstanceOf(Promise);
      expect((await settled)?.duplicate).toBe(false);
      expect(backbone.link.losses).toBe(0);
    }
  });
});

test('a room that was unsubscribed while it was checked is forgotten', async () => {
  const nats = await natsOf();
  const { backbone, broker } = await podLikeOn(nats);
  const limits = { historySize: 10, historyTtlMs: 600_000 };
  const history = new NatsHistory({
    backbone,
    claims: new NatsClaims(backbone),
    limitsOf: () => limits,
    widest: () => limits,
    newEpoch: () => 'epoch',
  });
  // It learns the history's name as the broker does.
  backbone.link.reconnect('another history is there, too');
  await expect.poll(() => backbone.link.up, PATIENT).toBe(true);
  history.begin('r');
  await (
    await broker.publish('r', body(1))
  ).settled;
  await history.read('r', { newest: 0 }, ALL);
  expect(history.newestSequence('r')).toBe(1);
  const { jsm } = await streamOf(nats.port);
  await jsm.streams.purge('test-history', { filter: 'test.history.r' });
  const read = history.read('r', { newest: 0 }, ALL);
  history.end('r');
  await read;
  history.received('r', { seq: 2, lastSeq: 1, data: new TextEncoder().encode('name 1 1 \n{}') });
  expect(history.newestSequence('r')).toBeUndefined();
});

test('an error while a room is compared with its history is logged, and the pod goes on', async () => {
  const nats = await natsOf();
  const { backbone, broker } = await podLikeOn(nats);
  await broker.subscribe('r');
  const logged = vi.spyOn(console, 'error').mockReturnValue();
  vi.spyOn(backbone.link, 'call').mockRejectedValueOnce(new Error('odd'));
  (await operator(nats.port)).publish('test.room.r');
  await expect.poll(() => logged.mock.calls, PATIENT).toEqual([[{ err: new Error('odd') }]]);
  vi.restoreAllMocks();
  expect(await broker.publish('r', body(1))).toMatchObject({ duplicate: false });
});
