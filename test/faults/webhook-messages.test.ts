import { expect, test } from 'vitest';
import { degraded, eventually, podsOn, ready, redisOf, SLOW } from './world.ts';
import { open } from '../support/client.ts';
import { rulesFile } from '../support/rules-file.ts';
import { startReceiver } from '../webhooks/receiver.ts';

type Event = { readonly id: string; readonly message: { readonly id: string; readonly data: unknown } };

test(
  'Each message that waits for Redis is posted once, with its position, when Redis has it',
  SLOW,
  async () => {
    const receiver = await startReceiver();
    const events: Event[] = [];
    const collect = async (): Promise<never> => {
      for (;;) {
        const delivery = await receiver.deliveries.take();
        events.push(...(delivery.events as unknown as readonly Event[]));
        delivery.answer(200);
      }
    };
    void collect();
    const data = (): unknown[] => events.map(({ message }) => message.data);
    const redis = await redisOf();
    const [here, there] = await podsOn(redis, {
      ROOMS_FILE: await rulesFile('rooms: [{ match: "*", webhook: [message] }]'),
      WEBHOOK_URL: receiver.origin,
      WEBHOOK_SECRET: 'a secret',
    });
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
    await eventually('the last messages', () => data().filter((one) => one === 'end').length === 2);
    const others = events.filter(({ message }) => message.data !== 'end');
    expect(others.map(({ message }) => message)).toMatchObject([
      { id: acks[0]?.['id'], data: 1 },
      { id: acks[1]?.['id'], data: 2 },
    ]);
    expect(new Set(events.map(({ id }) => id)).size).toBe(4);
  },
);
