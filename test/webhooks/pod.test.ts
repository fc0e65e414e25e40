import { expect, onTestFinished, test } from 'vitest';
import { SECRET } from './bench.ts';
import { createHmac } from 'node:crypto';
import { open } from '../support/client.ts';
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
