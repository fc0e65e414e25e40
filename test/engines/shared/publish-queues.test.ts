import { beforeEach, describe, expect, test } from 'vitest';
import type { Appender } from '../../../src/engines/shared/appender.ts';
import type { Clock } from '../../../src/core/ports/clock.ts';
import { MemoryBudget } from '../../../src/engines/shared/memory-budget.ts';
import { Publication } from '../../../src/engines/shared/publication.ts';
import { PublishQueues } from '../../../src/engines/shared/publish-queues.ts';
import { Unavailable } from '../../../src/engines/shared/unavailable.ts';
import type { Published } from '../../../src/core/ports/broker.ts';
import { turns } from '../../support/test-pod.ts';

/** Answers to what was sent, oldest first. */
interface Sent {
  readonly publication: Publication;
  readonly wasProvisional: boolean;
  readonly mayBeThere: boolean;
  readonly answer: PromiseWithResolvers<Published>;
}

/** Its pauses last one turn. */
const IMPATIENT: Clock = {
  now: () => 0,
  elapsed: () => 0,
  after(_ms, task) {
    const timer = setImmediate(task);
    return () => clearImmediate(timer);
  },
};

let up: boolean;
let place: string;
let sent: Sent[];
let delivered: string[];
let forgotten: string[];
let queues: PublishQueues;
let names: number;

beforeEach(() => {
  up = true;
  place = 'here';
  sent = [];
  delivered = [];
  forgotten = [];
  names = 0;
  queues = opened();
});

function opened(mostInFlight = Number.MAX_SAFE_INTEGER): PublishQueues {
  const appender: Appender = {
    mostInFlight,
    queueOf: () => 0,
    destinationOf: () => place,
    reaches: () => up,
    now: () => 1,
    append(publication, settle) {
      const answer = Promise.withResolvers<Published>();
      const { provisional, sentAt } = publication;
      sent.push({ publication, wasProvisional: provisional, mayBeThere: sentAt !== undefined, answer });
      answer.promise.then(settle, settle);
    },
  };
  return new PublishQueues({
    appender,
    clock: IMPATIENT,
    deliver: ({ body }) => delivered.push(body),
    forget: ({ body }, id = 'refused') => forgotten.push(`${body}: ${id}`),
    mostMessages: 3,
    budget: new MemoryBudget(1_000),
  });
}

const publish = (room: string, body: string, key?: string): Promise<Published> => {
  const provisionalId = key === undefined ? `n${(names += 1)}` : `${room}/${key}`;
  return queues.publish(
    new Publication({ room, body, key, trace: undefined, lastValue: undefined, provisionalId }),
  );
};
const bodies = (): string[] => sent.map(({ publication }) => publication.body);
const accept = (index: number): void => sent[index]?.answer.resolve({ id: `p${index}`, duplicate: false });
const lose = (index: number): void => sent[index]?.answer.reject(new Unavailable('gone'));

describe('publications in a publish queue', () => {
  test('are sent at once and answered when the history has stored them', async () => {
    const first = publish('r', 'a');
    const second = publish('r', 'b');
    expect(bodies()).toEqual(['a', 'b']);
    accept(0);
    accept(1);
    expect([await first, await second]).toMatchObject([{ id: 'p0' }, { id: 'p1' }]);
    expect(delivered).toEqual([]);
  });

  test('are delivered provisionally and wait during an outage; then each is sent once, in order', async () => {
    up = false;
    const first = await publish('r', 'a');
    await publish('r', 'b');
    expect([delivered, bodies(), queues.waiting]).toEqual([['a', 'b'], [], 2]);
    expect(first).toMatchObject({ id: 'n1', duplicate: false });
    up = true;
    const pumped = queues.pump();
    expect(bodies()).toEqual(['a', 'b']);
    expect(sent.map(({ wasProvisional, mayBeThere }) => [wasProvisional, mayBeThere])).toEqual([
      [true, false],
      [true, false],
    ]);
    accept(0);
    accept(1);
    await pumped;
    expect(await first.settled).toEqual({ id: 'p0', duplicate: false });
    expect([delivered, queues.waiting]).toEqual([['a', 'b'], 0]);
  });

  test('whose attempt failed are delivered provisionally, and sent again', async () => {
    const first = publish('r', 'a');
    up = false;
    lose(0);
    expect(await first).toMatchObject({ id: 'n1' });
    expect(delivered).toEqual(['a']);
    up = true;
    void queues.pump();
    expect(sent.at(-1)).toMatchObject({ wasProvisional: true, mayBeThere: true });
  });

  test('that were stored before may be the first ones only if an attempt of theirs has failed', async () => {
    const other = publish('r', 'a', 'k');
    sent[0]?.answer.resolve({ id: 'p', duplicate: true });
    expect(await other).toEqual({ id: 'p', duplicate: true });

    const own = publish('r', 'b', 'l');
    lose(1);
    const { settled } = await own;
    const repeated = await publish('r', 'b', 'l');
    void queues.pump();
    sent[2]?.answer.resolve({ id: 'q', duplicate: true });
    expect(await settled).toEqual({ id: 'q', duplicate: true, maybeFirst: true });
    expect(repeated).toMatchObject({ duplicate: true, maybeFirst: undefined });
  });

  test('do not overtake those that wait', async () => {
    up = false;
    await publish('r', 'a');
    up = true;
    await publish('r', 'b');
    expect(delivered).toEqual(['a', 'b']);
    void queues.pump();
    expect(bodies()).toEqual(['a', 'b']);
  });

  test('whose destination changes wait for the answer of those in flight, and are not delivered provisionally', async () => {
    void publish('r', 'a');
    place = 'there';
    void publish('r', 'b');
    expect([bodies(), delivered]).toEqual([['a'], []]);
    accept(0);
    await turns(3);
    expect([bodies(), delivered]).toEqual([['a', 'b'], []]);
  });

  test('that wait for their turn when an outage begins are delivered provisionally, and sent after it', async () => {
    queues = opened(1);
    void publish('r', 'a');
    const second = publish('r', 'b');
    expect(bodies()).toEqual(['a']);
    up = false;
    accept(0);
    await second;
    expect([delivered, queues.waiting]).toEqual([['b'], 1]);
    up = true;
    void queues.pump();
    await turns(1);
    expect(bodies()).toEqual(['a', 'b']);
  });

  test('that the history does not take although it can be reached are retried', async () => {
    up = false;
    await publish('r', 'a');
    up = true;
    void queues.pump();
    lose(0);
    await expect.poll(() => sent.length).toBe(2);
    expect(queues.failures).toBe(1);
  });

  test('with the key of one that waits are neither delivered nor sent a second time', async () => {
    up = false;
    const first = await publish('r', 'a', 'k');
    const again = await publish('r', 'a again', 'k');
    expect([first.id, again.id, again.duplicate]).toEqual(['r/k', 'r/k', true]);
    expect(delivered).toEqual(['a']);
    up = true;
    void queues.pump();
    accept(0);
    expect(await again.settled).toEqual({ id: 'p0', duplicate: false });
    expect(bodies()).toEqual(['a']);
  });

  test('with the key of one in flight get its answer, and are not sent or delivered', async () => {
    const first = publish('r', 'a', 'k');
    const again = publish('r', 'a again', 'k');
    const other = publish('r', 'b');
    accept(0);
    expect(await Promise.all([first, again])).toEqual([
      { id: 'p0', duplicate: false },
      { id: 'p0', duplicate: true },
    ]);
    up = false;
    lose(1);
    await other;
    expect(bodies()).toEqual(['a', 'b']);
    expect(delivered).toEqual(['b']);
  });

  test('beyond the buffer are rejected, and not delivered', async () => {
    up = false;
    for (const body of ['a', 'b', 'c']) await publish('r', body);
    await expect(publish('r', 'd')).rejects.toThrow('the buffer for publications is full');
    expect(delivered).toEqual(['a', 'b', 'c']);
  });

  test('are bounded by their bytes too', async () => {
    up = false;
    await publish('r', 'x'.repeat(1_000));
    await expect(publish('r', 'y')).rejects.toBeInstanceOf(Unavailable);
  });

  test('that were delivered provisionally and then refused, or were repetitions, are forgotten', async () => {
    up = false;
    const first = await publish('r', 'a');
    await publish('r', 'b', 'k');
    up = true;
    void queues.pump();
    sent[0]?.answer.reject(new Error('WRONGTYPE'));
    sent[1]?.answer.resolve({ id: 'p', duplicate: true });
    await expect(first.settled).rejects.toThrow('WRONGTYPE');
    await expect.poll(() => forgotten).toEqual(['a: refused', 'b: p']);
  });

  test('that are refused fail, and do not hold up the others', async () => {
    const first = publish('r', 'a');
    sent[0]?.answer.reject(new Error('WRONGTYPE'));
    await expect(first).rejects.toThrow('WRONGTYPE');
    expect(queues.waiting).toBe(0);
    void publish('r', 'b');
    expect(bodies()).toEqual(['a', 'b']);
  });
});
