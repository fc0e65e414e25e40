import { beforeEach, describe, expect, test } from 'vitest';
import type { DeliverySpan, TracedPublication, Tracer } from '../../src/core/ports/tracer.ts';
import {
  type PublishRequest,
  publishDirectly,
  publishGlobally,
  publishToRoom,
  timestampOf,
} from '../../src/core/commands/publish.ts';
import { TestPod, turns } from '../support/test-pod.ts';
import { DELAY_BOUNDS_MS, observe } from '../../src/core/base/tally.ts';
import { Gateway } from '../../src/core/commands/gateway.ts';
import { receiverOf } from '../../src/core/commands/broker-receiver.ts';
import { Hub } from '../../src/core/pod/hub.ts';
import type { Limits } from '../../src/core/base/limits.ts';
import type { Pod } from '../../src/core/commands/pod.ts';
import type { Stored } from '../../src/core/ports/broker.ts';

const what = (pod: Pod): PublishRequest => ({
  type: 'chat',
  from: 'p',
  data: '1',
  timestamp: timestampOf(pod),
});

/** A tracer that samples what it is told to, and writes down what it is told. */
class Notes implements Tracer {
  sampling = true;
  readonly published: TracedPublication[] = [];
  readonly delivered: { trace: string; destination: string; connections?: number }[] = [];

  request(): Promise<void> {
    return Promise.resolve();
  }

  publish<Result>(about: TracedPublication, work: (trace: string | undefined) => Promise<Result>) {
    this.published.push(about);
    return work(this.sampling ? `trace-${this.published.length}` : undefined);
  }

  deliver(trace: string, destination: string): DeliverySpan {
    const note: (typeof this.delivered)[number] = { trace, destination };
    this.delivered.push(note);
    return { end: (connections) => void (note.connections = connections) };
  }
}

/** A TestPod whose rooms and publications are traced. */
class TracedPod extends TestPod {
  readonly notes = new Notes();
  readonly traced: Pod;
  override readonly gateway: Gateway;
  readonly received: Stored[] = [];

  constructor(limits: Partial<Limits> = {}) {
    super(limits);
    const hub = new Hub({ ...this.pod, tracer: this.notes });
    this.traced = { ...this.pod, hub, tracer: this.notes };
    const receiver = receiverOf(this.traced);
    void this.pod.broker.start({
      ...receiver,
      message: (room, stored) => {
        this.received.push(stored);
        receiver.message(room, stored);
      },
    });
    this.gateway = new Gateway(this.traced);
  }
}

describe('A message that is traced', () => {
  let pod: TracedPod;

  beforeEach(() => {
    pod = new TracedPod();
  });

  test('carries its trace through the broker and is delivered once per pod, however many members', async () => {
    const members = ['a', 'b', 'c'].map((user) => pod.connect(user, { room: 'r' }));
    await turns();
    await publishToRoom(pod.traced, 'r', false, what(pod.traced));
    await turns();
    expect(pod.notes.published).toEqual([{ destination: 'room', type: 'chat' }]);
    expect(pod.received.map(({ trace }) => trace)).toEqual(['trace-1']);
    expect(pod.notes.delivered).toEqual([{ trace: 'trace-1', destination: 'room', connections: 3 }]);
    for (const { socket } of members) expect(JSON.stringify(socket.frames)).not.toContain('trace-1');
  });

  test('does not show its trace to a client that recovers it, and is not traced as delivered again', async () => {
    pod.connect('a', { room: 'r' });
    await turns();
    await publishToRoom(pod.traced, 'r', false, what(pod.traced));
    const late = pod.connect('b', { room: 'r', history: 10 });
    await turns();
    expect(late.socket.frames.filter(({ type }) => type === 'chat')).toHaveLength(1);
    expect(JSON.stringify(late.socket.frames)).not.toContain('trace-1');
    expect(pod.notes.delivered).toHaveLength(1);
  });

  test('may be ephemeral, direct or global', async () => {
    pod.connect('a', { room: 'r' });
    pod.connect('b');
    await turns();
    await publishToRoom(pod.traced, 'r', true, what(pod.traced));
    await publishGlobally(pod.traced, what(pod.traced));
    await publishDirectly(pod.traced, 'b', what(pod.traced));
    await turns();
    expect(pod.notes.published.map(({ destination }) => destination)).toEqual(['room', '@global', '@direct']);
    expect(pod.notes.delivered.toSorted((x, y) => x.trace.localeCompare(y.trace))).toEqual([
      { trace: 'trace-1', destination: 'room', connections: 1 },
      { trace: 'trace-2', destination: '@global', connections: 2 },
      { trace: 'trace-3', destination: '@direct', connections: 1 },
    ]);
  });

  test('that is not sampled carries no trace', async () => {
    pod.notes.sampling = false;
    pod.connect('a', { room: 'r' });
    await turns();
    await publishToRoom(pod.traced, 'r', false, what(pod.traced));
    await publishToRoom(pod.traced, 'r', true, what(pod.traced));
    await publishGlobally(pod.traced, what(pod.traced));
    await turns();
    expect(pod.received).toHaveLength(1);
    expect(pod.received[0]).not.toHaveProperty('trace');
    expect(pod.notes.delivered).toEqual([]);
  });

  test('changes nothing on a pod without tracing', async () => {
    const plain = new TestPod();
    const { socket } = plain.connect('a', { room: 'r' });
    await turns();
    await plain.pod.broker.publish('r', '"type":"chat","data":1}', { trace: 'from another pod' });
    await turns();
    expect(socket.frames.filter(({ type }) => type === 'chat')).toEqual([
      { id: expect.any(String), type: 'chat', data: 1 },
    ]);
  });
});

describe('The time from publish to deliver', () => {
  const seen = ({ pod }: TestPod): [number, number][] =>
    pod.tally.publishToDeliver.counts
      .map((count, index): [number, number] => [DELAY_BOUNDS_MS[index] ?? Infinity, count])
      .filter(([, count]) => count > 0);

  test.each([
    ['durable', 100],
    ['ephemeral', 0],
  ])('is recorded once for each %s message, not for each member', async (_, historySize) => {
    const pod = new TestPod({ historySize });
    for (const user of ['a', 'b', 'c']) pod.connect(user, { room: 'r' });
    await turns();
    const published = [1, 2].map(() => publishToRoom(pod.pod, 'r', false, what(pod.pod)));
    // They wait for the end of the turn, which comes 30 ms later by this clock.
    pod.clock.advance(30);
    await Promise.all(published);
    await turns();
    expect(seen(pod)).toEqual([[50, 2]]);
    expect(pod.pod.tally.publishToDeliver.sumMs).toBe(60);
  });

  test('is recorded for global and direct messages, but not on a pod without a recipient', async () => {
    const pod = new TestPod();
    await publishGlobally(pod.pod, what(pod.pod));
    await publishToRoom(pod.pod, 'nobody-there', false, what(pod.pod));
    await publishDirectly(pod.pod, 'nobody', what(pod.pod));
    await turns();
    expect(seen(pod)).toEqual([]);
    pod.connect('a');
    await publishGlobally(pod.pod, what(pod.pod));
    await publishDirectly(pod.pod, 'a', what(pod.pod));
    expect(seen(pod)).toEqual([[0.5, 2]]);
  });

  test('uses the timestamp of the message, whatever a client puts into it', async () => {
    const pod = new TestPod();
    pod.connect('a', { room: 'r' });
    await turns();
    const data = JSON.stringify({ timestamp: '1999-01-01T00:00:00.000Z' });
    const published = publishToRoom(pod.pod, 'r', false, { ...what(pod.pod), data });
    pod.clock.advance(7);
    await published;
    await turns();
    expect(pod.pod.tally.publishToDeliver.sumMs).toBe(7);
  });

  test('falls into the bucket of the first bound that it does not exceed', () => {
    const { tally } = new TestPod().pod;
    for (const ms of [-5, 0, 0.5, 0.6, 10_000, 10_001]) observe(tally.publishToDeliver, ms);
    const { counts, sumMs } = tally.publishToDeliver;
    expect([counts[0], counts[1], counts.at(-2), counts.at(-1)]).toEqual([3, 1, 1, 1]);
    expect(sumMs).toBeCloseTo(20_002.1);
  });
});
