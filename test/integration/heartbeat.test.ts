import { afterAll, expect, test } from 'vitest';
import { startPod } from '../support/pod.ts';
import { open, part } from '../support/client.ts';
import { settled, settledChannel } from './people.ts';

// Two pings fall into the time in which one must be answered: a test that is held up does not fail.
const pod = await startPod({ HEARTBEAT_SECONDS: '1', HEARTBEAT_TIMEOUT_SECONDS: '3' });
afterAll(() => pod.stop());

test('Clients that answer no ping are closed with 4408, whatever they speak; those that do stay', async () => {
  const answering = [
    await open(pod, '/ws/room'),
    await open(pod, '/ws?dialect=channel'),
    await open(pod, '/ws'),
  ];
  const [message, channel, undecided] = answering as [Answering, Answering, Answering];
  const connected = await message.next({ event: 'connected' });
  expect(part(connected, 'data')['heartbeat_seconds']).toBe(1);
  let pings = 0;
  message.ws.on('ping', () => (pings += 1));
  const silent = [
    await open(pod, '/ws/room', { autoPong: false }),
    await open(pod, '/ws?dialect=channel', { autoPong: false }),
    await open(pod, '/ws', { autoPong: false }),
  ];
  for (const one of silent) expect((await one.closed).code).toBe(4408);
  expect(pings).toBeGreaterThan(0);
  await settled(message);
  await settledChannel(channel);
  await settled(undecided);
});

type Answering = Awaited<ReturnType<typeof open>>;
