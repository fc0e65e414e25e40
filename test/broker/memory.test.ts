import { describe, expect, test } from 'vitest';
import { MemoryBroker, MOST_CHARS } from '../../src/broker/memory.ts';
import { TestClock } from '../support/test-clock.ts';

const BODY = 'x'.repeat(1_048_576);

describe('the memory broker', () => {
  test('keeps no more than its bound over all rooms: the quietest lose their messages first', async () => {
    const clock = new TestClock();
    const broker = new MemoryBroker({ clock, epoch: 'e', historySize: 100, historyTtlMs: 300_000 });
    const rooms = (MOST_CHARS / BODY.length) * 2;
    const first = await broker.publish('room-0', BODY);
    await broker.publish('room-0', BODY);
    for (let n = 1; n < rooms; n += 1) await broker.publish(`room-${n}`, BODY);
    expect((await broker.read('room-0', { after: first.id }, 10)).missing).toBe('trimmed');
    const last = await broker.read(`room-${rooms - 1}`, { newest: 1 }, 10);
    expect(last.messages).toHaveLength(1);
    let kept = 0;
    for (let n = 0; n < rooms; n += 1)
      kept += (await broker.read(`room-${n}`, { newest: 9 }, 9)).messages.length;
    expect(kept * BODY.length).toBeLessThanOrEqual(MOST_CHARS);
  });

  test('says of a room that it had to forget before its time that the position is expired', async () => {
    const clock = new TestClock();
    const broker = new MemoryBroker({ clock, epoch: 'e', historySize: 1, historyTtlMs: 1_000 });
    const first = await broker.publish('room-0', 'a');
    clock.advance(1);
    await broker.publish('room-0', 'b');
    for (let n = 1; n <= 100_010; n += 1) await broker.publish(`room-${n}`, 'x');
    clock.advance(2_000);
    await broker.publish('another', 'x');
    clock.advance(2_000);
    await broker.publish('and-another', 'x');
    expect((await broker.read('room-0', { after: first.id }, 10)).missing).toBe('expired');
  });

  test('knows a repetition for five minutes, also where its clock is set meanwhile', async () => {
    const clock = new TestClock();
    const broker = new MemoryBroker({ clock, epoch: 'e', historySize: 100, historyTtlMs: 300_000 });
    const { id } = await broker.publish('room', 'a', { key: 'k' });
    clock.setBack(-400_000);
    expect(await broker.publish('room', 'a', { key: 'k' })).toEqual({ id, duplicate: true });
    clock.setBack(60_000);
    clock.advance(300_001);
    expect(await broker.publish('room', 'a', { key: 'k' })).toMatchObject({ duplicate: false });
  });
});
