import { expect, onTestFinished, test } from 'vitest';
import { SECRET } from './bench.ts';
import { createHmac } from 'node:crypto';
import { open } from '../support/client.ts';
import { rulesFile } from '../support/rules-file.ts';
import { startPod } from '../support/pod.ts';
import { startReceiver } from './receiver.ts';

test('A pod posts joins and leaves, and the remaining events when it stops', async () => {
  const { origin, deliveries } = await startReceiver();
  const pod = await startPod({ WEBHOOK_URL: `${origin}/hook?key=query-token`, WEBHOOK_SECRET: SECRET });
  onTestFinished(async () => void (await pod.kill()));
  const alice = await open(pod, '/ws/r?user_id=alice');
  const { events, body, headers, answer } = await deliveries.take();
  expect(events).toMatchObject([
    { type: 'room_occupied', room: 'r' },
    { type: 'member_joined', room: 'r', user_id: 'alice' },
  ]);
  const signed = `${String(headers['x-crosspod-timestamp'])}.${body}`;
  const signature = createHmac('sha256', SECRET).update(signed).digest('hex');
  expect(headers['x-crosspod-signature']).toBe(`sha256=${signature}`);
  answer(200);
  alice.send({ type: 'leave' });
  await alice.next({ event: 'left' });
  const stopped = pod.stop();
  (await deliveries.take()).answer(500);
  // The pod has nothing else to do any more, and yet comes again.
  const last = await deliveries.take();
  expect(last.events).toMatchObject([
    { type: 'member_left', room: 'r', user_id: 'alice' },
    { type: 'room_vacated', room: 'r' },
  ]);
  last.answer(200);
  expect(await stopped).toEqual({ code: 0, signal: null });
  for (const secret of [SECRET, 'query-token']) expect(pod.output()).not.toContain(secret);
});

const RULES = `rooms:
  - { match: news, webhook: [message] }
  - { match: live, webhook: [message], history: { size: 0 } }
  - { match: quiet, presence: { enabled: false }, webhook: [member_left] }
`;

test('A pod posts what the rule of each room names, messages also of the API, and both when it stops', async () => {
  const { origin, deliveries } = await startReceiver();
  const webhook = { WEBHOOK_URL: origin, WEBHOOK_SECRET: SECRET };
  const pod = await startPod({ ...webhook, ROOMS_FILE: await rulesFile(RULES) });
  onTestFinished(async () => void (await pod.kill()));
  const post = (room: string, event: string): Promise<Response> =>
    fetch(`${pod.url}/api/rooms/${room}/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': event },
      body: JSON.stringify({ type: 'notification', event, data: [event] }),
    });
  const ann = await open(pod, '/ws/news?user_id=ann');
  ann.send({ type: 'chat', data: { text: 'hi' }, ref: 'a' });
  ann.send({ type: 'chat', data: 'typing', ephemeral: true });
  ann.send({ type: 'chat', data: { text: 'hi' }, ref: 'a' });
  const { id } = await ann.next({ type: 'ack', ref: 'a' });
  await ann.next({ type: 'ack', ref: 'a' });
  for (const room of ['live', 'news', 'news']) await post(room, 'flash');

  const events: unknown[] = [];
  while (events.length < 2) {
    const delivery = await deliveries.take();
    events.push(...delivery.events);
    delivery.answer(200);
  }
  expect(events).toMatchObject([
    { type: 'message', room: 'news', user_id: 'ann', message: { id, type: 'chat', data: { text: 'hi' } } },
    {
      type: 'message',
      user_id: 'system',
      message: { type: 'notification', event: 'flash', data: ['flash'] },
    },
  ]);
  const metrics = async (): Promise<string> => (await fetch(`${pod.opsUrl}/metrics`)).text();
  await expect.poll(metrics).toMatch(/^realtime_webhook_messages 2$/m);

  ann.send({ type: 'join', room: 'quiet', ref: 'b' });
  await ann.next({ event: 'joined', ref: 'b' });
  ann.send({ type: 'leave', room: 'quiet' });
  await ann.next({ event: 'left', room: 'quiet' });
  await post('news', 'last');
  const stopped = pod.stop();
  const last = [await deliveries.take(), await deliveries.take()];
  expect(last.flatMap((one) => one.events)).toHaveLength(2);
  expect(last.flatMap((one) => one.events)).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ type: 'member_left', room: 'quiet', user_id: 'ann' }),
      expect.objectContaining({ type: 'message', message: expect.objectContaining({ event: 'last' }) }),
    ]),
  );
  for (const one of last) one.answer(200);
  expect(await stopped).toEqual({ code: 0, signal: null });
});
