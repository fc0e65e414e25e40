import { describe, expect, test, vi } from 'vitest';
import { nanos } from '@nats-io/transport-node';
import type { HistoryLimits } from '../../../src/core/ports/room-rules.ts';
import { NatsRefused } from '../../../src/engines/nats/connection/answers.ts';
import { natsOf } from './world.ts';
import { type PodLike, podLikeOn } from './pod-like.ts';
import { POSITION_MS } from '../../../src/engines/shared/terms.ts';

const ALL = 1_000;
const PATIENT = { timeout: 20_000 };
const WIDE = { historySize: 300, historyTtlMs: 600_000 };

/** The rooms `few-…` store three messages, all others 300. */
function limitsOf(room: string): HistoryLimits {
  return room.startsWith('few-') ? { historySize: 3, historyTtlMs: 600_000 } : WIDE;
}

const RULES = { limitsOf, widest: () => WIDE };

async function published({ broker }: PodLike, room: string, from: number, to: number): Promise<string[]> {
  const ids: string[] = [];
  for (let n = from; n <= to; n += 1) ids.push((await broker.publish(room, String(n))).id);
  return ids;
}

/** How much of each room the stream stores. */
function sizeOf({ backbone }: PodLike): Promise<[number, number]> {
  return backbone.link.call(async ({ jsm }) => {
    const { config } = await jsm.streams.info('test-history');
    return [config.max_msgs_per_subject, config.max_age];
  });
}

const stored = (size: number, ttlMs: number): [number, number] => [size + 1, nanos(ttlMs + POSITION_MS)];

describe('a room that may have less than others', () => {
  test('is the same for a pod that subscribes it and for one that does not', async () => {
    const { port } = await natsOf();
    const [here, there] = [await podLikeOn({ port, ...RULES }), await podLikeOn({ port, ...RULES })];
    await here.broker.subscribe('few-r');
    const { position: start } = await here.broker.read('few-r', { newest: 0 }, ALL);
    const ids: string[] = [];
    for (let n = 1; n <= 20; n += 1) {
      ids.push(...(await published(here, 'few-r', n, n)));
      await published(there, 'other', n, n);
    }
    const late = await podLikeOn({ port, ...RULES });
    await late.broker.subscribe('few-r');
    for (const { broker } of [here, there, late]) {
      const told = async (after: string, limit = ALL): Promise<unknown> => {
        const page = await broker.read('few-r', { after }, limit);
        return [page.missing, page.messages.map(({ body }) => body).join(), page.more];
      };
      expect(await told(start)).toEqual(['trimmed', '18,19,20', false]);
      expect(await told(ids[0] ?? '')).toEqual(['trimmed', '18,19,20', false]);
      expect(await told(ids[0] ?? '', 2)).toEqual(['trimmed', '18,19', true]);
      expect(await told(ids[16] ?? '')).toEqual([undefined, '18,19,20', false]);
      expect(await told(ids[17] ?? '', 1)).toEqual([undefined, '19', true]);
      expect(await told(ids[19] ?? '')).toEqual([undefined, '', false]);
      const page = await broker.read('few-r', { newest: 10 }, ALL);
      expect(page.messages.map(({ id, prev }) => [id, prev])).toEqual(
        [17, 18, 19].map((n) => [ids[n], ids[n - 1]]),
      );
      expect((await broker.read('few-r', { since: 0 }, ALL)).missing).toBe('trimmed');
    }
  });

  test('is read with as many requests as its own messages need', async () => {
    const { port } = await natsOf();
    const [here, there] = [await podLikeOn({ port, ...RULES }), await podLikeOn({ port, ...RULES })];
    await Promise.all([published(here, 'few-r', 1, 250), published(there, 'r', 1, 10)]);
    const asked = vi.spyOn(there.backbone.link, 'call');
    const { messages } = await there.broker.read('few-r', { newest: ALL }, ALL);
    expect(messages.map(({ body }) => body)).toEqual(['248', '249', '250']);
    expect(asked.mock.calls.length).toBeLessThan(30);
  });
});

describe('the stream', () => {
  test('grows with the rules at the next message, and keeps its positions', async () => {
    const { port } = await natsOf();
    const small = { historySize: 2, historyTtlMs: 60_000 };
    let widest: HistoryLimits = small;
    const here = await podLikeOn({ port, limitsOf: () => widest, widest: () => widest });
    const old = await podLikeOn({ port, limitsOf: () => small, widest: () => small });
    expect(await sizeOf(here)).toEqual(stored(2, 60_000));
    const [first = ''] = await published(here, 'r', 1, 2);
    widest = { historySize: 5, historyTtlMs: 120_000 };
    await published(here, 'r', 3, 6);
    expect(await sizeOf(here)).toEqual(stored(5, 120_000));
    const page = await here.broker.read('r', { after: first }, ALL);
    expect([page.missing, page.messages.length]).toEqual([undefined, 5]);
    // Neither shorter rules nor a pod that does not know the rules yet make it smaller.
    widest = { historySize: 1, historyTtlMs: 60_000 };
    await published(here, 'r', 7, 7);
    for (const { backbone } of [here, old]) {
      backbone.link.reconnect('a test');
      await expect.poll(() => backbone.link.up, PATIENT).toBe(true);
    }
    expect(await sizeOf(here)).toEqual(stored(5, 120_000));
    // A pod that starts applies its rules.
    const late = await podLikeOn({ port, limitsOf: () => widest, widest: () => widest });
    expect(await sizeOf(late)).toEqual(stored(1, 60_000));
  });

  test('that NATS does not let grow holds what it can, and messages are published', async () => {
    const { port } = await natsOf();
    let widest: HistoryLimits = { historySize: 2, historyTtlMs: 60_000 };
    const { backbone, broker } = await podLikeOn({ port, limitsOf: () => widest, widest: () => widest });
    widest = WIDE;
    const logged = vi.spyOn(console, 'error').mockReturnValue();
    vi.spyOn(backbone.link, 'call').mockRejectedValueOnce(new NatsRefused(10_052, 'no'));
    for (const body of ['1', '2'])
      expect(await broker.publish('r', body)).toMatchObject({ duplicate: false });
    expect(logged.mock.calls).toEqual([[{ err: new NatsRefused(10_052, 'no') }]]);
    vi.restoreAllMocks();
  });
});
