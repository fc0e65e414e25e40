import { describe, expect, test } from 'vitest';
import type { Load } from '../../../src/core/ports/directory.ts';
import { Rebalance } from '../../../src/core/pod/rebalance.ts';
import { Refused } from '../../../src/core/base/refused.ts';
import { TestPod, turns } from '../../support/test-pod.ts';

type Client = ReturnType<TestPod['connect']>;

/** A pod with some clients, to which another has come. */
class Setting {
  readonly #it: TestPod;
  readonly clock: TestPod['clock'];
  readonly broker: TestPod['pod']['broker'];
  readonly clients: Client[] = [];
  readonly rebalance: Rebalance;
  /** What this pod said of itself, in order. */
  readonly said: (number | undefined)[] = [];
  /** Undefined: Redis is away. */
  other: number | undefined = 0;
  otherSince = 0;
  readonly watermarks = { exceeded: false };

  constructor(count: number, rebalancePerSecond = 100) {
    this.#it = new TestPod({ rebalancePerSecond });
    this.clock = this.#it.clock;
    this.broker = this.#it.pod.broker;
    const loads = (own: Load | undefined): Promise<readonly Load[]> => {
      this.said.push(own?.connections);
      if (this.other === undefined) return Promise.reject(new Refused('unavailable'));
      return Promise.resolve([{ connections: this.other, since: this.otherSince }]);
    };
    Object.assign(this.#it.pod.directory, { loads });
    for (let n = 0; n < count; n += 1) this.comes();
    this.clock.advance(1);
    this.otherSince = this.clock.now();
    this.rebalance = new Rebalance(this.#it.pod, this.watermarks);
    this.rebalance.start();
  }

  /** With pods that have been there for long enough: the next second is the first in which somebody may go. */
  static async of(count: number, rebalancePerSecond?: number): Promise<Setting> {
    const it = new Setting(count, rebalancePerSecond);
    for (let second = 1; second < 10; second += 1) await it.passes(1_000);
    it.said.splice(0);
    return it;
  }

  comes(): void {
    this.clients.push(this.#it.connect(`u${this.clients.length}`, { room: 'r' }));
  }

  /** The client has answered the close, or is gone otherwise. */
  ends(client: Client | undefined, code = 1012): void {
    if (client !== undefined) this.#it.gateway.closed(client.connection, code);
  }

  /** Who was sent away, in the order in which they came. */
  get away(): number[] {
    return this.clients.flatMap(({ socket }, index) => (socket.closeCode === 1012 ? [index] : []));
  }

  /** How often each was told that it has to go. */
  get drains(): number[] {
    return this.clients.map(({ socket }) => socket.frames.filter(({ event }) => event === 'drain').length);
  }

  async passes(ms: number): Promise<void> {
    this.clock.advance(ms);
    await turns();
    // What was then decided to be done at once.
    this.clock.advance(0);
    await turns();
  }
}

describe('Connections given away', () => {
  test('are the oldest, one by one within the second, told to come back at once and closed with 1012', async () => {
    const it = await Setting.of(10);
    await turns();
    await it.passes(1_000);
    const counts: number[] = [];
    for (let at = 0; at < 4; at += 1) {
      await it.passes(at === 0 ? 0 : 250);
      counts.push(it.away.length);
    }
    expect(counts).toEqual([1, 2, 3, 4]);
    expect(it.away).toEqual([0, 1, 2, 3]);
    expect(it.rebalance.moved).toBe(4);
    const [last] = it.clients[3]?.socket.frames.slice(-1) ?? [];
    expect(last).toMatchObject({ event: 'drain', data: { reconnect_after_ms: 0 } });
  });

  test('are none that came after the youngest pod', async () => {
    const it = await Setting.of(1);
    await it.passes(1_000);
    for (let n = 0; n < 9; n += 1) it.comes();
    for (let second = 0; second < 5; second += 1) await it.passes(1_000);
    expect(it.away).toEqual([0]);
  });

  test('do not count while they are still here, and no others go in their stead', async () => {
    const it = await Setting.of(10);
    await it.passes(1_000);
    await it.passes(999);
    expect(it.away).toHaveLength(4);
    // They have come to the other pod, but this one does not know yet that they are gone.
    it.other = 4;
    for (let second = 0; second < 5; second += 1) await it.passes(1_000);
    expect(it.away).toHaveLength(4);
    expect(it.said).toEqual([10, 6, 6, 6, 6, 6]);
    for (const client of it.clients.slice(0, 4)) it.ends(client);
    await it.passes(1_000);
    expect(it.said.at(-1)).toBe(6);
    expect(it.rebalance.moved).toBe(4);
  });

  test('are told once and counted once when they are waited for', async () => {
    const it = await Setting.of(10, 2);
    await turns();
    it.broker.publish = () => new Promise(() => {});
    for (const { send } of it.clients) send({ type: 'chat', room: 'r', data: 1, ref: '1' });
    await it.passes(1_000);
    await it.passes(999);
    expect(it.drains).toEqual(Array(10).fill(0));
    await it.passes(1);
    await it.passes(999);
    it.other = 4;
    expect([it.away.length, it.rebalance.moved]).toEqual([0, 0]);
    for (let second = 0; second < 5; second += 1) await it.passes(1_000);
    expect(it.drains).toEqual([1, 1, 1, 1, 0, 0, 0, 0, 0, 0]);
    expect([it.away.length, it.rebalance.moved]).toEqual([4, 4]);
  });

  test('are not counted when they end by themselves before', async () => {
    const it = await Setting.of(10);
    await it.passes(1_000);
    it.ends(it.clients[3], 1000);
    await it.passes(999);
    expect(it.away).toEqual([0, 1, 2]);
    expect(it.rebalance.moved).toBe(3);
  });
});

describe('Nobody is given away', () => {
  test('in the first ten seconds of a pod, in which whoever is sent away might come back', async () => {
    const it = new Setting(10);
    for (let second = 1; second < 10; second += 1) await it.passes(1_000);
    expect([it.said.at(-1), it.away]).toEqual([10, []]);
    await it.passes(1_000);
    expect(it.away).toEqual([0]);
  });

  test('from when on the pod is emptied: the others no longer count on it, and the drain does the rest', async () => {
    const it = await Setting.of(10);
    await it.passes(1_000);
    expect(it.away).toEqual([0]);
    it.rebalance.stop();
    for (let second = 0; second < 5; second += 1) await it.passes(1_000);
    expect(it.away).toEqual([0]);
    expect(it.said).toEqual([10, undefined]);
  });

  test('while Redis is away, and it goes on after that', async () => {
    const it = await Setting.of(10);
    it.other = undefined;
    for (let second = 0; second < 5; second += 1) await it.passes(1_000);
    expect(it.away).toEqual([]);
    it.other = 0;
    await it.passes(1_000);
    expect(it.away).toEqual([0]);
  });

  test('to a pod that takes nobody: one that is full or overloaded does not count for the others', async () => {
    const it = await Setting.of(10, 0);
    await it.passes(1_000);
    it.watermarks.exceeded = true;
    await it.passes(1_000);
    it.watermarks.exceeded = false;
    await it.passes(1_000);
    while (it.clients.length < 100) it.comes();
    await it.passes(1_000);
    expect(it.said).toEqual([10, undefined, 10, undefined]);
  });
});
