import { beforeEach, describe, expect, test } from 'vitest';
import { MemoryBudget } from '../../../src/engines/shared/memory-budget.ts';
import { MemoryBroker } from '../../../src/engines/memory/broker.ts';
import { MemoryPresence } from '../../../src/engines/memory/presence.ts';
import { runInNewContext } from 'node:vm';
import { setFlagsFromString } from 'node:v8';
import { TestClock } from '../../support/test-clock.ts';

const MIB = 1_048_576;
const TTL_MS = 300_000;

let clock: TestClock;
let budget: MemoryBudget;
let broker: MemoryBroker;

/** V8's heap after garbage collection. */
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
function heap(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

function open(most: number, historySize = 100): void {
  clock = new TestClock();
  budget = new MemoryBudget(most);
  broker = new MemoryBroker({
    clock,
    epoch: 'e',
    limitsOf: () => ({ historySize, historyTtlMs: TTL_MS }),
    budget,
  });
}

beforeEach(() => open(64 * MIB));

describe('MEMORY_BYTES', () => {
  const LIMIT = 16 * MIB;
  const MANY = 60_000;
  const long = 'x'.repeat(400);
  const user = (n: number): { userId: string; connectionId: string } => ({
    userId: `user-${n}`,
    connectionId: `connection-${n}`,
  });

  const fills: readonly [string, (n: number) => Promise<unknown>][] = [
    ['a message in each of many rooms', (n) => broker.publish(`room-${n}`, `"${long}"${n}`)],
    ['a few bytes in each of many rooms', (n) => broker.publish(`room-${n}`, `${n}`)],
    ['long names of rooms', (n) => broker.publish(`room-${n}`.padEnd(128, '-'), `${n}`)],
    ['many messages in few rooms', (n) => broker.publish(`room-${n % 900}`, `"${long}"${n}`)],
    ['texts that are not Latin', (n) => broker.publish(`room-${n % 900}`, `"${'語'.repeat(200)}"${n}`)],
    ['messages with refs', (n) => broker.publish(`room-${n % 900}`, `${n}`, { key: `alice\n${n}` })],
    ['refs of direct messages', (n) => broker.claim('@direct', `alice\n${n}`, `message-${n}`)],
  ];

  test.each(fills)('bounds the memory of %s', async (_what, fill) => {
    open(LIMIT);
    const before = heap();
    for (let n = 0; n < MANY; n += 1) await fill(n);
    // At least half of the budget is used: nothing is evicted without need.
    expect(budget.bytes).toBeGreaterThan(LIMIT / 2);
    expect(budget.bytes).toBeLessThanOrEqual(LIMIT);
    expect(heap() - before).toBeLessThan(LIMIT * 1.25);
    expect(heap() - before).toBeGreaterThan(LIMIT / 4);
  });

  test('bounds the positions of rooms whose messages are gone', async () => {
    open(LIMIT, 0);
    const before = heap();
    for (let n = 0; n < MANY; n += 1) await broker.publish(`room-${n}`, 'x');
    expect(budget.bytes).toBeLessThanOrEqual(LIMIT);
    expect(heap() - before).toBeLessThan(LIMIT * 1.25);
  });

  test('evicts messages, positions and refs for the sake of members, who all stay', async () => {
    open(LIMIT);
    const store = new MemoryPresence(clock, budget);
    for (let n = 0; n < MANY / 2; n += 1) await broker.publish(`old-${n}`, long, { key: `k${n}` });
    const before = heap();
    for (let n = 0; n < 20_000; n += 1) {
      await store.enter(`room-${n % 5_000}`, user(n));
      await store.state(`room-${n % 5_000}`, user(n), { meta: `{"n":"${long.slice(0, 100)}"}` });
    }
    expect(budget.bytes).toBeLessThanOrEqual(LIMIT);
    expect(heap() - before).toBeLessThan(LIMIT / 4);
    expect((await store.list('room-7', 9)).count).toBe(4);
    for (let n = 0; n < 20_000; n += 1) await store.exit(`room-${n % 5_000}`, user(n));
    for (let n = 0; n < MANY; n += 1) await broker.publish(`new-${n}`, long);
    expect(budget.bytes).toBeGreaterThan(LIMIT / 2);
  });

  test('is released in full', async () => {
    const store = new MemoryPresence(clock, budget);
    await broker.subscribe('silent');
    for (let n = 0; n < 100; n += 1) {
      await broker.subscribe(`room-${n}`);
      await broker.publish(`room-${n}`, long, { key: 'k' });
      await store.enter(`room-${n}`, { ...user(n), connectionId: 'one' });
      await store.enter(`room-${n}`, user(n));
      await store.exit(`room-${n}`, { ...user(n), connectionId: 'one' });
      await store.exit(`room-${n}`, user(n));
      broker.unsubscribe(`room-${n}`);
    }
    broker.unsubscribe('silent');
    for (const ms of [TTL_MS, 86_400_000]) {
      clock.advance(ms + 1);
      await broker.publish('last', long, { key: `k${ms}` });
    }
    clock.advance(TTL_MS + 86_400_000 + 1);
    await broker.publish('last', '', { key: 'k' });
    const left = budget.bytes;
    open(MIB);
    await broker.publish('last', '', { key: 'k' });
    expect(left).toBe(budget.bytes);
  });
});

describe('the memory broker beyond its budget', () => {
  test('evicts the older half of the messages of the least recently used room, and says trimmed', async () => {
    open(MIB);
    const body = 'x'.repeat(MIB / 8);
    const ids: string[] = [];
    for (let n = 0; n < 4; n += 1) ids.push((await broker.publish('quiet', body)).id);
    for (let n = 0; n < 4; n += 1) await broker.publish('loud', body);
    const page = await broker.read('quiet', { after: ids[0] ?? '' }, 10);
    expect(page).toMatchObject({ missing: 'trimmed', position: ids[3] });
    expect(page.messages.map(({ id }) => id)).toEqual(ids.slice(2));
    expect((await broker.read('quiet', { after: ids[1] ?? '' }, 10)).missing).toBeUndefined();
    expect((await broker.read('loud', { newest: 9 }, 9)).messages).toHaveLength(4);
  });

  test('says expired for the positions of a forgotten room', async () => {
    open(MIB);
    const [first, second] = [await broker.publish('room', 'a'), await broker.publish('room', 'b')];
    expect(first.id.split('-')[0]).toBe(second.id.split('-')[0]);
    let others = 0;
    const fill = async (): Promise<void> => void (await broker.publish(`room-${(others += 1)}`, 'x'));
    while ((await broker.read('room', { after: first.id }, 9)).missing === undefined) await fill();
    expect((await broker.read('room', { after: first.id }, 9)).missing).toBe('expired');
    await broker.publish('room', 'c');
    const page = await broker.read('room', { after: first.id }, 9);
    expect(page).toMatchObject({ missing: 'expired', messages: [{ body: 'c' }] });
  });

  test('never forgets the position of a subscribed room', async () => {
    open(MIB);
    await broker.subscribe('room');
    const { id } = await broker.publish('room', 'a');
    for (let n = 0; n < 5_000; n += 1) await broker.publish(`room-${n}`, 'x');
    expect(await broker.read('room', { after: id }, 9)).toMatchObject({ messages: [], position: id });
    expect((await broker.read('room', { after: id }, 9)).missing).toBeUndefined();
    const next = await broker.publish('room', 'b');
    expect((await broker.read('room', { after: id }, 9)).messages).toMatchObject([{ id: next.id, prev: id }]);
  });

  test('remembers a ref as long as memory allows', async () => {
    open(MIB);
    const first = await broker.publish('room', 'a', { key: 'first' });
    const claimed = await broker.claim('@global', 'first', 'one');
    for (let n = 0; n < 500; n += 1) await broker.publish('room', 'x', { key: `${n}` });
    expect(await broker.publish('room', 'a', { key: 'first' })).toEqual({ id: first.id, duplicate: true });
    expect(await broker.claim('@global', 'first', 'two')).toBe(claimed);
    for (let n = 500; n < 5_000; n += 1) await broker.publish('room', 'x', { key: `${n}` });
    expect(await broker.publish('room', 'a', { key: 'first' })).toMatchObject({ duplicate: false });
    expect(await broker.claim('@global', 'first', 'two')).toBe('two');
  });

  test('works without any memory', async () => {
    open(0);
    await broker.subscribe('room');
    const [first, second] = [await broker.publish('room', 'a'), await broker.publish('room', 'b')];
    expect((await broker.read('room', { after: first.id }, 9)).missing).toBe('trimmed');
    expect((await broker.read('room', { after: second.id }, 9)).missing).toBeUndefined();
  });
});

test('the memory broker recognizes a repetition for five minutes, also if its clock is set', async () => {
  const { id } = await broker.publish('room', 'a', { key: 'k' });
  clock.setBack(-400_000);
  expect(await broker.publish('room', 'a', { key: 'k' })).toEqual({ id, duplicate: true });
  clock.setBack(60_000);
  clock.advance(TTL_MS + 1);
  expect(await broker.publish('room', 'a', { key: 'k' })).toMatchObject({ duplicate: false });
});
