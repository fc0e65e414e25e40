import { expect, test } from 'vitest';
import { degraded, eventually, podOn, podsOn, ready, redisOf, SLOW } from './world.ts';
import { open } from '../support/client.ts';
import { rulesFile } from '../support/rules-file.ts';
import { type Receiver, startReceiver } from '../webhooks/receiver.ts';

type Event = { readonly id: string; readonly message: { readonly id: string; readonly data: unknown } };

/** Collects what is posted to the receiver. */
async function collect({ deliveries }: Receiver, events: Event[]): Promise<never> {
  for (;;) {
    const delivery = await deliveries.take();
    events.push(...(delivery.events as unknown as readonly Event[]));
    delivery.answer(200);
  }
}

async function settingsFor({ origin }: Receiver): Promise<Record<string, string>> {
  const file = await rulesFile('rooms: [{ match: "*", webhook: [message] }]');
  return { ROOMS_FILE: file, WEBHOOK_URL: origin, WEBHOOK_SECRET: 'a secret' };
}

test(
  'A message that waits for Redis is posted once, with its position, when Redis has it',
  SLOW,
  async () => {
    const receiver = await startReceiver();
    const events: Event[] = [];
    void collect(receiver, events);
    const redis = await redisOf();
    const [here, there] = await podsOn(redis, await settingsFor(receiver));
    const ann = await open(here, '/ws/r?user_id=ann');
    redis.freeze();
    // Redis takes the first one when it goes on, but its answer comes too late.
    ann.send({ type: 'chat', data: 1, ref: '1' });
    await ann.next({ type: 'chat', data: 1, provisional: true });
    await degraded(here);
    ann.send({ type: 'chat', data: 2, ref: '2' });
    await ann.next({ type: 'chat', data: 2, provisional: true });
    expect(events).toEqual([]);

    redis.thaw();
    const acks = [await ann.next({ type: 'ack', ref: '1' }), await ann.next({ type: 'ack', ref: '2' })];
    await ready(here, there);
    const again = await open(there, '/ws/r?user_id=ann');
    again.send({ type: 'chat', data: 1, ref: '1' });
    expect(await again.next({ type: 'ack', ref: '1' })).toMatchObject({ id: acks[0]?.['id'] });
    for (const client of [ann, again]) client.send({ type: 'chat', data: 'end' });
    const ends = (): Event[] => events.filter(({ message }) => message.data === 'end');
    await eventually('the last messages', () => ends().length === 2);
    const others = events.filter((event) => !ends().includes(event));
    expect(others.map(({ message }) => message)).toMatchObject([
      { id: acks[0]?.['id'], data: 1 },
      { id: acks[1]?.['id'], data: 2 },
    ]);
    expect(new Set(events.map(({ id }) => id)).size).toBe(4);
  },
);

test('A message that Redis takes only while its pod ends is posted too', SLOW, async () => {
  const receiver = await startReceiver();
  const events: Event[] = [];
  void collect(receiver, events);
  const redis = await redisOf();
  const pod = await podOn(redis, { ...(await settingsFor(receiver)), DRAIN_WINDOW_SECONDS: '1' });
  const ann = await open(pod, '/ws/r?user_id=ann');
  redis.freeze();
  ann.send({ type: 'chat', data: 1 });
  await ann.next({ type: 'chat', data: 1, provisional: true });
  const stopped = pod.stop();
  await ann.closed;
  // Then the webhook has nothing to post yet, and the pod waits for Redis.
  const isClosed = (): Promise<boolean> =>
    fetch(pod.url).then(
      () => false,
      () => true,
    );
  await eventually('a pod that takes no clients', isClosed);
  redis.thaw();
  expect(await stopped).toEqual({ code: 0, signal: null });
  expect(events).toMatchObject([{ message: { data: 1 } }]);
});
