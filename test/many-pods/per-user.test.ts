import { expect, test } from 'vitest';
import { aWorld, at } from './world.ts';
import { open, refused, until } from '../support/client.ts';
import { fresh, guest, settled } from '../integration/people.ts';
import type { PodProcess } from '../support/stack/pods.ts';

const here = aWorld({ pods: 3, env: { MAX_CONNECTIONS_PER_USER: '2' } });

/** Whether the user gets a connection; then it stays open. */
async function comesIn(pod: PodProcess, user: string): Promise<boolean> {
  return open(pod, `/ws?dialect=message&user_id=${user}`).then(
    () => true,
    (error: unknown) => {
      expect(String(error)).toContain('429');
      return false;
    },
  );
}

test('The third connection of a user is refused with 429 on every pod, wherever the others are', async () => {
  const user = fresh('alice');
  const two = [await guest(here.a, user), await guest(here.b, user)];
  for (const pod of here.pods) {
    const { status, headers, body } = await refused(pod, `/ws/room?user_id=${user}`);
    expect([status, body['code']]).toEqual([429, 'too_many_connections']);
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
  }
  for (const one of two) await settled(one);
  expect(await comesIn(here.c, fresh('bob'))).toBe(true);
});

test.each<[string, 'close' | 'terminate']>([
  ['closed', 'close'],
  ['lost', 'terminate'],
])('A place is free again on another pod once a connection is %s, and only one', async (_, end) => {
  const user = fresh('alice');
  const [one] = [await guest(here.a, user), await guest(here.a, user)];
  expect(await comesIn(here.b, user)).toBe(false);
  await (end === 'close' ? one.close(1000) : one.terminate());
  await until('a free place', () => comesIn(here.b, user));
  for (const pod of here.pods) expect(await comesIn(pod, user)).toBe(false);
});

test('As many as may come in when many come to all pods at once, and as many again when they have gone', async () => {
  const user = fresh('alice');
  const coming = Array.from({ length: 18 }, (_, n) => open(at(here.pods, n % 3), `/ws?user_id=${user}`));
  const came = (await Promise.allSettled(coming)).filter((one) => one.status === 'fulfilled');
  expect(came).toHaveLength(2);
  for (const { value } of came) await value.close(1000);
  for (const pod of [here.a, here.b]) await until('a free place', () => comesIn(pod, user));
  for (const pod of here.pods) expect(await comesIn(pod, user)).toBe(false);
});

test('Refusals for other reasons take no place, nor do those who are nobody', async () => {
  const user = fresh('alice');
  for (let n = 0; n < 4; n += 1) await refused(at(here.pods, n % 2), `/ws/-?user_id=${user}`);
  for (let n = 0; n < 4; n += 1) await settled(await guest(at(here.pods, n % 2)));
  expect(await comesIn(here.a, user)).toBe(true);
  expect(await comesIn(here.b, user)).toBe(true);
  expect(await comesIn(here.c, user)).toBe(false);
});

test('A pod that is stopped gives back the places of its connections', async () => {
  const another = await here.pod();
  const user = fresh('alice');
  await guest(another, user);
  await guest(another, user);
  expect(await comesIn(here.a, user)).toBe(false);
  await another.stop();
  await until('free places', () => comesIn(here.a, user));
});

test('Who waits for Redis while the pod begins to drain is refused, and takes no place', async () => {
  const user = fresh('alice');
  const pod = await here.pod({ DRAIN_WINDOW_SECONDS: '5' });
  // Keeps the pod: it has the second place in the schedule, or the first.
  const others = [await guest(pod), await guest(pod)];
  here.redis.freeze();
  const late = refused(pod, `/ws?user_id=${user}`);
  await settled(at(others, 0));
  const exit = pod.stop();
  await until('the drain', () => pod.output().includes('"draining"'));
  here.redis.thaw();
  const { status, body } = await late;
  expect([status, body['code']]).toEqual([503, 'draining']);
  expect(await exit).toEqual({ code: 0, signal: null });
  for (const one of [await guest(here.a, user), await guest(here.a, user)]) await settled(one);
});

test('Who is sent away has a place elsewhere at once, although this end is not over yet', async () => {
  const user = fresh('alice');
  const pod = await here.pod();
  const two = [await guest(pod, user), await guest(pod, user)];
  const backs = two.map(async ({ closed }) => {
    await closed;
    expect(await comesIn(here.a, user)).toBe(true);
  });
  expect(await pod.stop()).toEqual({ code: 0, signal: null });
  await Promise.all(backs);
});
