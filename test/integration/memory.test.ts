import { expect, test } from 'vitest';
import { anotherPod, get, post } from '../many-pods/world.ts';
import { member, range } from './people.ts';

/** So little that what this test publishes would fill it three times. */
const HEAP = { NODE_OPTIONS: '--max-old-space-size=96' };
const BATCHES = 150;
const BATCH = 1_000;

test('a pod without Redis outlives any number of rooms and refs, and tells what it forgot', async () => {
  const pod = await anotherPod({ ...HEAP, API_REQUESTS_PER_SECOND: '1000000' });
  const alice = await member(pod, 'here', 'alice');
  const first = await post(pod, '/api/rooms/first/messages', { data: 1 });
  await post(pod, '/api/rooms/first/messages', { data: 2 });
  await post(pod, '/api/rooms/here/messages', { data: 1 });
  const { id } = await alice.next({ data: 1 });
  for (const batch of range(1, BATCHES)) {
    const messages = range(1, BATCH).map((n) => ({ room: `room-${batch}-${n}`, data: { n } }));
    const answer = await post(pod, '/api/messages', { messages }, { 'Idempotency-Key': `batch ${batch}` });
    expect(answer.status).toBe(200);
  }
  const gone = await get(pod, `/api/rooms/first/history?after=${String(first.body['id'])}`);
  expect(gone.body).toMatchObject({ recovered: false, reason: 'expired' });
  // Whoever was there all the time has missed nothing, and is told so.
  await post(pod, '/api/rooms/here/messages', { data: 2 });
  await alice.next({ data: 2 });
  alice.send({ type: 'join', room: 'here', last_id: id, ref: 'again' });
  await alice.next({ event: 'joined', ref: 'again', data: { recovered: true, replayed: 1 } });
});
