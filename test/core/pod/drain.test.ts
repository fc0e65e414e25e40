import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Drain, Places } from '../../../src/core/pod/drain.ts';
import type { TestSocket } from '../../support/test-pod.ts';
import { TestPod, turns } from '../../support/test-pod.ts';

describe('Places at other pods', () => {
  /** Moments at which clients are sent away, some of them together. */
  const moments = fc.array(fc.integer({ min: 0, max: 2_000 }), { maxLength: 200 });

  test('are never more in a second than one takes, whenever clients are sent away', () => {
    fc.assert(
      fc.property(moments, fc.integer({ min: 1, max: 1_000 }), (gaps, perSecond) => {
        const places = new Places(perSecond);
        let now = 0;
        const back = gaps.map((gap) => {
          now += gap;
          return now + places.next(now);
        });
        for (const [index, at] of back.entries()) {
          // Rounded to milliseconds, each of them.
          expect(at - (back[index - 1] ?? -Infinity)).toBeGreaterThanOrEqual(1_000 / perSecond - 1);
        }
      }),
    );
  });

  test('come at once where that is slow enough', () => {
    const places = new Places(10);
    expect([0, 100, 200, 1_000].map((now) => places.next(now))).toEqual([0, 0, 0, 0]);
    expect([1_000, 1_000, 1_050].map((now) => places.next(now))).toEqual([100, 200, 250]);
  });
});

/** What a client was told last, and the code its connection was closed with. */
function last({ frames, closeCode }: TestSocket): unknown[] {
  const { event, data } = frames.at(-1) ?? {};
  return [event, data, closeCode];
}

describe('A drain', () => {
  test('tells each client when to be back, closes it with 1012, and knows how far it is', async () => {
    const { pod, clock, connect, gateway } = started({ handshakesPerSecond: 1 });
    const clients = ['a', 'b', 'c', 'd'].map((user) => connect(user));
    const drain = new Drain(pod);
    expect(drain.progress).toBe(0);
    let isOver = false;
    void drain.run(2_000).then(() => (isOver = true));
    const closed = (): number => clients.filter(({ socket }) => socket.closeCode !== undefined).length;
    const counts: number[] = [];
    for (let at = 0; at < 2_000; at += 500) {
      await turns();
      counts.push(closed());
      clock.advance(500);
    }
    await turns();
    expect(counts).toEqual([1, 2, 3, 4]);
    expect(isOver).toBe(true);
    expect(
      clients
        .map(({ socket }) => last(socket))
        .toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b))),
    ).toEqual([
      ['drain', { reconnect_after_ms: 0 }, 1012],
      ['drain', { reconnect_after_ms: 1_000 }, 1012],
      ['drain', { reconnect_after_ms: 1_500 }, 1012],
      ['drain', { reconnect_after_ms: 500 }, 1012],
    ]);
    for (const { connection } of clients) gateway.closed(connection, 1012);
    expect(drain.progress).toBe(1);
  });

  test('catches up after a stall, but those who were late are back one after the other', async () => {
    const { pod, clock, connect } = started({ handshakesPerSecond: 10 });
    const clients = Array.from({ length: 10 }, (_, index) => connect(`u${index}`));
    void new Drain(pod).run(10_000);
    await turns();
    clock.stall(4_000);
    for (let second = 0; second < 10; second += 1) {
      clock.advance(1_000);
      await turns();
    }
    const waits = clients.map(({ connection }) => connection.awayMs).toSorted((a, b) => a - b);
    expect(waits.filter((ms) => ms > 0)).toEqual([100, 200, 300, 400]);
  });

  test('answers what was asked before it closes', async () => {
    const { pod, clock, connect } = started();
    const { socket, send } = connect('a', { room: 'r' });
    await turns();
    for (let n = 0; n < 20; n += 1) send({ type: 'chat', room: 'r', data: n, ref: `${n}` });
    void new Drain(pod).run(0);
    await turns();
    clock.advance(20);
    await turns(10);
    const acks = socket.frames.filter(({ type }) => type === 'ack');
    expect(acks).toHaveLength(20);
    expect(last(socket)).toEqual(['drain', { reconnect_after_ms: 0 }, 1012]);
  });

  test('publishes what was on its way when the connection was closed, and does nothing else for it', async () => {
    const { pod, connect } = started();
    const leaving = connect('a', { room: 'r' });
    await turns();
    await new Drain(pod).run(0);
    const staying = connect('b', { room: 'r' });
    await turns();
    leaving.send({ type: 'chat', room: 'r', data: 'late' });
    leaving.send({ type: 'join', room: 'other' });
    await turns();
    expect(staying.socket.frames.find(({ type }) => type === 'chat')).toMatchObject({
      from: 'a',
      data: 'late',
    });
    expect(pod.hub.room('other')).toBeUndefined();
  });

  test('leaves those present who were asked to stay away longer than the grace', async () => {
    const { pod, clock, connect, gateway } = started({ handshakesPerSecond: 0.1, presenceGraceMs: 5_000 });
    const clients = ['a', 'b'].map((user) => connect(user, { room: 'r' }));
    await turns();
    await new Drain(pod).run(0);
    const watcher = connect('watcher', { room: 'r' });
    for (const { connection } of clients) gateway.closed(connection, 1012);
    const offline = (): unknown[] =>
      watcher.socket.frames.filter(({ data }) => Object(data).status === 'offline').map(({ from }) => from);
    const away = new Map(clients.map(({ connection }) => [connection.userId, connection.awayMs]));
    const [first = '', second = ''] = [...away.keys()].toSorted(
      (a, b) => (away.get(a) ?? 0) - (away.get(b) ?? 0),
    );
    const wait = async (ms: number): Promise<void> => {
      clock.advance(ms);
      await turns();
    };
    await wait((away.get(first) ?? 0) + 4_999);
    expect(offline()).toEqual([]);
    await wait(1);
    expect(offline()).toEqual([first]);
    await wait((away.get(second) ?? 0) - (away.get(first) ?? 0));
    expect(offline()).toEqual([first, second]);
  });

  test('waits for a publication that waits for the broker, and for a client to read what it has', async () => {
    const { pod, clock, connect } = started();
    const { connection, socket, send } = connect('a', { room: 'r' });
    await turns();
    const kept = Promise.withResolvers<{ id: string; duplicate: boolean }>();
    const provisional = { id: 'p', duplicate: false, provisional: true, settled: kept.promise };
    pod.broker.publish = () => Promise.resolve(provisional);
    send({ type: 'chat', room: 'r', data: 1, ref: '1' });
    await turns();
    void new Drain(pod).run(0);
    const passes = async (): Promise<void> => {
      clock.advance(100);
      await turns();
    };
    await passes();
    expect(socket.closeCode).toBeUndefined();
    socket.congested = true;
    kept.resolve({ id: 'q', duplicate: false });
    await passes();
    expect(socket.closeCode).toBeUndefined();
    socket.congested = false;
    connection.outbox.flush();
    await passes();
    expect(socket.frames.find(({ type }) => type === 'ack')).toMatchObject({ id: 'q' });
    expect(last(socket)).toEqual(['drain', { reconnect_after_ms: 0 }, 1012]);
  });

  test('goes on evenly when somebody sets the clock', async () => {
    const { pod, clock, connect } = started({ handshakesPerSecond: 10 });
    const clients = Array.from({ length: 10 }, (_, index) => connect(`u${index}`));
    void new Drain(pod).run(10_000);
    const closed: number[] = [];
    for (let second = 0; second < 10; second += 1) {
      await turns();
      if (second === 3) clock.setBack(3_600_000);
      closed.push(clients.filter(({ socket }) => socket.closeCode !== undefined).length);
      clock.advance(1_000);
    }
    expect(closed).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(clients.map(({ connection }) => connection.awayMs)).toEqual(Array(10).fill(0));
  });

  test('ends nobody’s presence whose client answers the close with another code', async () => {
    const { pod, clock, connect, gateway } = started();
    const { connection } = connect('a', { room: 'r' });
    await turns();
    await new Drain(pod).run(0);
    const watcher = connect('watcher', { room: 'r' });
    gateway.closed(connection, 1000);
    await turns();
    const left = (): unknown[] =>
      watcher.socket.frames.filter(({ type, from }) => type === 'presence' && from === 'a');
    expect(left()).toEqual([]);
    clock.advance(5_000);
    await turns();
    expect(left()).toHaveLength(1);
  });

  test('does not wait for ever for an answer that does not come', async () => {
    const { pod, clock, connect } = started();
    const { socket, send } = connect('a', { room: 'r' });
    await turns();
    pod.broker.publish = () => new Promise(() => {});
    send({ type: 'chat', room: 'r', data: 1, ref: '1' });
    void new Drain(pod).run(0);
    await turns();
    expect(socket.closeCode).toBeUndefined();
    clock.advance(2_000);
    await turns();
    expect(socket.closeCode).toBe(1012);
  });
});

function started(limits = {}) {
  const it = new TestPod(limits);
  return { pod: it.pod, clock: it.clock, gateway: it.gateway, connect: it.connect.bind(it) };
}
