import { expect, test } from 'vitest';
import { eventually, get, podOn, podsOn, post, ready, redisOf, SLOW } from './world.ts';
import { open, refused } from '../support/client.ts';

test('A block holds on all pods, while Redis is killed, and after Redis lost its data', SLOW, async () => {
  const redis = await redisOf();
  const [here, there] = await podsOn(redis);
  const tabs = [
    await open(here, '/ws?dialect=message&user_id=bob'),
    await open(here, '/ws?dialect=message&user_id=bob'),
    await open(there, '/ws?dialect=message&user_id=bob'),
  ];
  for (const tab of tabs) await tab.next({ event: 'connected' });
  await redis.kill();
  await eventually('the block to be refused', async () => {
    return (await post(here, '/api/users/bob/block', { seconds: 600 })).status === 503;
  });
  await redis.start();
  await ready(here, there);
  const body = { seconds: 600, reason: 'spam' };
  expect(await post(here, '/api/users/bob/block', body)).toMatchObject({ status: 200 });
  await post(here, '/api/users/carol/block', body);
  await post(there, '/api/users/carol/block', body);
  for (const tab of tabs) expect(await tab.closed).toEqual({ code: 4403, reason: 'spam' });
  const response = await fetch(`${here.url}/api/users/carol/block`, { method: 'DELETE' });
  expect(response.status).toBe(200);

  await redis.kill();
  for (const pod of [here, there])
    expect(await refused(pod, '/ws?user_id=bob')).toMatchObject({ status: 403, body: { code: 'blocked' } });
  // It comes back without its data.
  await redis.start();
  await ready(here, there);
  await eventually(
    'the block to be written back',
    async () => (await blocked(here)) && (await blocked(there)),
  );
  const born = await podOn(redis);
  await eventually('a new pod to know the block', () => blocked(born));
  expect(await get(born, '/api/users/carol/block')).toMatchObject({ status: 404 });

  async function blocked(pod: typeof here): Promise<boolean> {
    return (
      (await get(pod, '/api/blocks')).status === 200 &&
      (await get(pod, '/api/users/bob/block')).status === 200
    );
  }
});
