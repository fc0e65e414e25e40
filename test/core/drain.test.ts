import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { departure, Drain } from '../../src/core/drain.ts';
import type { TestSocket } from '../support/test-pod.ts';
import { TestPod, turns } from '../support/test-pod.ts';

describe('The schedule of a drain', () => {
  const inputs = [
    fc.integer({ min: 1, max: 500 }),
    fc.integer({ min: 0, max: 60_000 }),
    fc.integer({ min: 1, max: 1_000 }),
  ] as const;

  test('is even, and within the window', () => {
    fc.assert(
      fc.property(...inputs, (count, windowMs, perSecond) => {
        const times = Array.from(
          { length: count },
          (_, index) => departure(index, count, windowMs, perSecond).after,
        );
        expect(times[0]).toBe(0);
        times
          .slice(1)
          .forEach((at, index) => expect(at - (times[index] ?? 0)).toBeCloseTo(windowMs / count, 6));
        expect(Math.max(...times)).toBeLessThanOrEqual(windowMs);
      }),
    );
  });

  test('lets clients come back no faster than pods take them, and at once where that is slow enough', () => {
    fc.assert(
      fc.property(...inputs, (count, windowMs, perSecond) => {
        const back = Array.from({ length: count }, (_, index) => {
          const { after, reconnectAfterMs } = departure(index, count, windowMs, perSecond);
          return after + reconnectAfterMs;
        });
        back.forEach((at, index) => expect(at).toBeGreaterThanOrEqual((index * 1_000) / perSecond - 1));
        if (windowMs / count >= 1_000 / perSecond) {
          expect(departure(count - 1, count, windowMs, perSecond).reconnectAfterMs).toBe(0);
        }
      }),
    );
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

  test('answers what was asked before it closes', async () => {
    const { pod, connect } = started();
    const { socket, send } = connect('a', { room: 'r' });
    await turns();
    for (let n = 0; n < 20; n += 1) send({ type: 'chat', room: 'r', data: n, ref: `${n}` });
    void new Drain(pod).run(0);
    await turns(10);
    const acks = socket.frames.filter(({ type }) => type === 'ack');
    expect(acks).toHaveLength(20);
    expect(socket.closeCode).toBe(1012);
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
