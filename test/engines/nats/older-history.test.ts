import { cpSync, rmSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { connect } from '@nats-io/transport-node';
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { join } from 'node:path';
import { natsOf } from './world.ts';
import { heardIn, type PodLike, podLikeOn } from './pod-like.ts';
import { startProxy } from '../../support/proxy.ts';

const PATIENT = { timeout: 20_000 };

async function operator(port: number): Promise<JetStreamManager> {
  const connection = await connect({ servers: `127.0.0.1:${port}` });
  onTestFinished(() => connection.close());
  return jetstreamManager(connection);
}

/** Reads page by page from the last message of each page, at most 20 pages. */
async function pagesAfter({ broker }: PodLike, after: string) {
  const pages = [];
  for (let from = after; pages.length < 20;) {
    const page = await broker.read('r', { after: from }, 20);
    pages.push(page);
    if (!page.more) break;
    from = page.messages.at(-1)?.id ?? '';
  }
  return pages;
}

async function publish({ broker }: PodLike, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n += 1) ids.push((await broker.publish('r', `${n}`)).id);
  return ids;
}

test('a reader who pages from message to message through a history that went back reaches its end', async () => {
  const nats = await natsOf();
  const before = await publish(await podLikeOn(nats), 70);
  const jsm = await operator(nats.port);
  const { config } = await jsm.streams.info('test-history');
  // As the pod that noticed leaves it.
  await jsm.streams.update('test-history', {
    description: `${String(config.description).replace(/0$/, '1')}-${Date.now()}`,
  });
  const [deaf, hearing] = [await podLikeOn(nats), await podLikeOn(nats)];
  await hearing.broker.subscribe('r');
  const expectAfter = async (after: string, rest: readonly string[]): Promise<void> => {
    for (const pod of [deaf, hearing]) {
      const pages = await pagesAfter(pod, after);
      expect(pages.flatMap(({ messages }) => messages.map(({ id }) => id))).toEqual(rest);
      for (const { missing } of pages) expect(missing).toBe('history_lost');
    }
  };
  await expectAfter(before[9] ?? '', before.slice(10));
  // The messages between are gone.
  await expectAfter(before[9]?.replace('x0.', 'x7.') ?? '', before);
  const since = await publish(deaf, 5);
  await expectAfter(before[69] ?? '', since);
});

test('a restored history in which another pod has published more is recognized by other messages in known places', async () => {
  const nats = await natsOf();
  const proxy = await startProxy(nats.port);
  onTestFinished(() => proxy.stop());
  const [store, saved] = [join(nats.folder, 'store'), join(nats.folder, 'saved')];
  const here = await podLikeOn({ port: proxy.port });
  await here.broker.subscribe('r');
  await publish(here, 5);
  await nats.stop();
  cpSync(store, saved, { recursive: true });
  await nats.start();
  await expect.poll(() => here.backbone.link.up, PATIENT).toBe(true);
  const lost = await publish(here, 5);
  await expect.poll(() => heardIn(here, 'r').length, PATIENT).toBe(10);
  proxy.silence();
  await nats.stop();
  rmSync(store, { recursive: true });
  cpSync(saved, store, { recursive: true });
  await nats.start();
  const there = await podLikeOn(nats);
  const since = await publish(there, 20);
  proxy.breakAll();
  proxy.resume();
  await expect.poll(() => here.backbone.link.up, PATIENT).toBe(true);
  for (const { broker } of [here, there]) {
    const found = async (): Promise<unknown> => {
      const { messages, missing } = await broker.read('r', { after: lost[4] ?? '' }, 100);
      return [missing, ...messages.map(({ body }) => body).slice(-20)];
    };
    await expect
      .poll(() => found().catch(String), PATIENT)
      .toEqual(['history_lost', ...since.map((_, n) => `${n}`)]);
  }
});

test('a member who returns to a room that was purged, wholly or partly, learns that messages are missing', async () => {
  const nats = await natsOf();
  const [hearing, deaf] = [await podLikeOn(nats), await podLikeOn(nats)];
  await hearing.broker.subscribe('r');
  const jsm = await operator(nats.port);
  const missing = (after: string): Promise<unknown[]> =>
    Promise.all([hearing, deaf].map(async ({ broker }) => (await broker.read('r', { after }, 100)).missing));
  const ids = await publish(hearing, 20);
  await jsm.streams.purge('test-history', { filter: 'test.history.r', seq: 11 });
  expect(await missing(ids[14] ?? '')).toEqual([undefined, undefined]);
  // A subscribed pod still has them.
  expect(await missing(ids[4] ?? '')).toEqual([undefined, 'expired']);
  await jsm.streams.purge('test-history', { filter: 'test.history.r' });
  for (const id of [ids[4], ids[14]]) expect(await missing(id ?? '')).toEqual(['expired', 'expired']);
  const [next] = await publish(hearing, 1);
  for (const id of [ids[4], ids[14]]) expect(await missing(id ?? '')).toEqual(['expired', 'expired']);
  expect(await missing(next ?? '')).toEqual([undefined, undefined]);
});

test('a history that an operator created gets one name, whichever pods find it without one', async () => {
  const [nats, elsewhere] = [await natsOf(), await natsOf()];
  await podLikeOn(elsewhere);
  const { config } = await (await operator(elsewhere.port)).streams.info('test-history');
  const jsm = await operator(nats.port);
  const { description: _, ...unnamed } = config;
  await jsm.streams.add(unnamed);
  const first = await podLikeOn(nats);
  const [told] = await publish(first, 1);
  // As if the second of two pods had read the settings before the first wrote the name.
  await jsm.streams.update('test-history', { description: '' });
  const second = await podLikeOn(nats);
  expect((await second.broker.read('r', { newest: 1 }, 1)).position).toBe(told);
});
