import { expect, onTestFinished, test, vi } from 'vitest';
import { type PodLike, podLikeOn } from './pod-like.ts';
import { NatsRefused } from '../../../src/engines/nats/connection/answers.ts';
import { natsOf } from './world.ts';
import { startProxy } from '../../support/proxy.ts';
import { Unavailable } from '../../../src/engines/shared/unavailable.ts';

const PATIENT = { timeout: 20_000 };
const ANY = { slot: 'any', ttlMs: 600_000 } as const;
const SERVER = { slot: 'server', ttlMs: 600_000 } as const;

async function valueOf({ broker }: PodLike, room = 'r', slot: typeof ANY | typeof SERVER = ANY) {
  return (await broker.lastValue?.(room, slot))?.body;
}

test('the values of two pods that publish at once end with the newest message', async () => {
  const nats = await natsOf();
  const [here, there] = [await podLikeOn(nats), await podLikeOn(nats)];
  for (const { broker } of [here, there]) await broker.subscribe('r');
  for (let n = 0; n < 30; n += 1) {
    await Promise.all(
      [here, there].map(({ broker }, pod) => broker.publish('r', `${n} of ${pod}`, { lastValue: SERVER })),
    );
    const { messages } = await here.broker.read('r', { newest: 1 }, 1);
    // A message that is no value hides the newest one of the history.
    await here.broker.publish('r', 'none');
    for (const pod of [here, there]) expect(await valueOf(pod, 'r', SERVER)).toBe(messages[0]?.body);
  }
});

test('a message is the value of its room as soon as it is stored', async () => {
  const nats = await natsOf();
  const [here, there] = [await podLikeOn(nats), await podLikeOn(nats)];
  await there.broker.subscribe('r');
  await here.broker.publish('r', '1', { lastValue: ANY });
  const { link } = here.backbone;
  const call = link.call.bind(link);
  const gate = Promise.withResolvers<void>();
  onTestFinished(() => void vi.restoreAllMocks());
  // The message itself is stored; what follows waits.
  vi.spyOn(link, 'call')
    .mockImplementationOnce(call)
    .mockImplementation(async (send) => gate.promise.then(() => call(send)));
  const published = here.broker.publish('r', '2', { lastValue: ANY });
  await expect.poll(() => there.messages.length, PATIENT).toBe(1);
  const late = await podLikeOn(nats);
  for (const pod of [there, late]) expect(await valueOf(pod)).toBe('2');
  gate.resolve();
  await published;
  expect(await valueOf(here)).toBe('2');
});

test('a publication whose answer was lost becomes the value when it is sent again', async () => {
  const nats = await natsOf();
  const proxy = await startProxy(nats.port);
  onTestFinished(() => proxy.stop());
  const [here, there] = [await podLikeOn({ port: proxy.port }), await podLikeOn(nats)];
  for (const { broker } of [here, there]) await broker.subscribe('r');
  await here.broker.publish('r', '1', { lastValue: SERVER });
  proxy.silence('to-client');
  const published = await here.broker.publish('r', '2', { lastValue: SERVER });
  await expect.poll(() => there.messages.length, PATIENT).toBe(2);
  await there.broker.publish('r', 'none');
  proxy.breakAll();
  proxy.resume();
  const { id } = (await published.settled) ?? {};
  for (const pod of [here, there])
    expect(await pod.broker.lastValue?.('r', SERVER)).toMatchObject({
      id,
      body: '2',
      provisionalId: published.id,
    });
});

test('a stream of values that was deleted is made again, and one that was never used is not made', async () => {
  const nats = await natsOf();
  const pod = await podLikeOn(nats);
  await pod.broker.publish('r', '0');
  const streams = (): Promise<string[]> =>
    pod.backbone.link.call(({ jsm }) => jsm.streams.names('test.values.>').next());
  expect(await streams()).toEqual([]);
  await pod.broker.tell('r', { id: '~1', body: '1' }, ANY);
  expect([await streams(), await valueOf(pod)]).toEqual([['test-values'], '1']);
  await pod.backbone.link.call(({ jsm }) => jsm.streams.delete('test-values'));
  await expect(valueOf(pod)).rejects.toThrow(Unavailable);
  await expect.poll(() => valueOf(pod).catch(() => 'unavailable'), PATIENT).toBeUndefined();
  const { settled } = await pod.broker.publish('r', '2', { lastValue: ANY });
  await settled;
  expect(await valueOf(pod)).toBe('2');
});

test('values that NATS refuses are no fault of a message', async () => {
  const nats = await natsOf();
  const pod = await podLikeOn(nats);
  const logged = vi.spyOn(console, 'error').mockReturnValue();
  onTestFinished(() => void vi.restoreAllMocks());
  const { link } = pod.backbone;
  const call = link.call.bind(link);
  await pod.broker.publish('r', '1');
  vi.spyOn(link, 'call').mockImplementationOnce(call).mockRejectedValueOnce(new NatsRefused(10_052, 'no'));
  expect(await pod.broker.publish('r', '2', { lastValue: ANY })).toMatchObject({ duplicate: false });
  expect(logged.mock.calls).toEqual([[{ err: new NatsRefused(10_052, 'no') }]]);
});
