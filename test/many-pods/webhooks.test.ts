import { expect, test } from 'vitest';
import { anotherPod, aWorld, metric, PATIENT, told } from './world.ts';
import { fresh, member, resume, namedListener, published } from '../integration/people.ts';
import type { PodProcess } from '../support/stack/pods.ts';
import { type Receiver, startReceiver } from '../webhooks/receiver.ts';
import { type Client, until } from '../support/client.ts';

const here = aWorld({ pods: 1 });
const SECRET = 'a very secret secret';

type Event = { readonly type: string; readonly room: string; readonly user_id?: string };

interface Told {
  /** Two pods that post to one receiver. */
  readonly pods: readonly [PodProcess, PodProcess];
  /** Each event so far as `type user` or `type room`, in the order in which they came. */
  readonly events: (room: string) => string[];
  /** Resolves once all that happened before on both pods has been posted. */
  readonly settled: () => Promise<void>;
}

async function aCluster(env: Record<string, string> = {}): Promise<Told> {
  const receiver = await startReceiver();
  const all: Event[] = [];
  void collect(receiver, all);
  const webhook = {
    WEBHOOK_URL: `${receiver.origin}/hook`,
    WEBHOOK_SECRET: SECRET,
    REDIS_PREFIX: `${fresh()}:`,
  };
  const settings = { ...here.redis.env, ...webhook, ...env };
  const pods = [await anotherPod(settings), await anotherPod(settings)] as const;
  const events = (room: string): string[] =>
    all
      .filter((event) => event.room === room)
      .map(({ type, user_id: user }) => (user === undefined ? type : `${type} ${user}`));
  const settled = async (): Promise<void> => {
    for (const pod of pods) {
      // A pod posts in order, one request at a time.
      const marker = fresh('marker');
      await member(pod, marker, 'marker');
      await until('the marker', () => events(marker).includes('member_joined marker'));
    }
  };
  return { pods, events, settled };
}

/** Takes what comes for as long as the receiver lives. */
async function collect({ deliveries }: Receiver, all: Event[]): Promise<never> {
  for (;;) {
    const { events, answer } = await deliveries.take();
    all.push(...(events as unknown as readonly Event[]));
    answer(200);
  }
}

test('Who comes and goes on any pod is posted once, and a room is vacated by the last member only', async () => {
  const { pods, events, settled } = await aCluster();
  const room = fresh();
  const alice = await member(pods[0], room, 'alice');
  const bob = await member(pods[1], room, 'bob');
  await settled();
  expect(events(room).toSorted()).toEqual(['member_joined alice', 'member_joined bob', 'room_occupied']);
  await alice.close(1000);
  await bob.next({ type: 'presence', from: 'alice', data: { status: 'offline' } });
  await settled();
  expect(events(room).slice(3)).toEqual(['member_left alice']);
  await bob.close(1000);
  await until('the room to be vacated', () => events(room).includes('room_vacated'));
  await settled();
  expect(events(room).slice(4)).toEqual(['member_left bob', 'room_vacated']);
});

test('Tabs on two pods are one member; who is lost and returns on the other pod has never left', async () => {
  const { pods, events, settled } = await aCluster({ PRESENCE_GRACE_SECONDS: '3600' });
  const room = fresh();
  const [one, two] = [await member(pods[0], room, 'alice'), await member(pods[1], room, 'alice')];
  await one.close(1000);
  await settled();
  expect(events(room)).toEqual(['room_occupied', 'member_joined alice']);
  const before = await metric(pods[1], 'realtime_connections_total');
  await two.terminate();
  // Had it not been noticed yet, it would count as another tab.
  await expect.poll(() => metric(pods[1], 'realtime_connections_total'), PATIENT).toBe(before - 1);
  const back = await resume(pods[0], room, 'alice', two);
  await settled();
  expect(events(room)).toHaveLength(2);
  await back.close(1000);
  await until('the room to be vacated', () => events(room).includes('room_vacated'));
  await settled();
  expect(events(room).slice(2)).toEqual(['member_left alice', 'room_vacated']);
});

test('Who is lost for longer than the grace is posted once, whoever else is on both pods', async () => {
  const { pods, events, settled } = await aCluster({ PRESENCE_GRACE_SECONDS: '1' });
  const room = fresh();
  const bob = await member(pods[1], room, 'bob');
  const zoe = await namedListener(pods[1], room, 'zoe', ['presence']);
  await published(zoe, { type: 'presence_join', channel: room, payload: {} });
  await (await member(pods[0], room, 'alice')).terminate();
  await bob.next({ type: 'presence', from: 'alice', data: { status: 'offline' } });
  await settled();
  expect(told(bob, 'alice', room)).toEqual(['online', 'offline']);
  const joined = ['member_joined alice', 'member_joined bob', 'member_joined zoe'];
  expect(events(room).toSorted()).toEqual([...joined, 'member_left alice', 'room_occupied']);
});

test('Above PRESENCE_EVENTS_LIMIT each member is posted all the same', async () => {
  const { pods, events, settled } = await aCluster({ PRESENCE_EVENTS_LIMIT: '1' });
  const room = fresh();
  const people: Client[] = [];
  for (let n = 0; n < 4; n += 1) people.push(await member(pods[n % 2 === 0 ? 0 : 1], room, `user-${n}`));
  for (const one of people) await one.close(1000);
  await until('the room to be vacated', () => events(room).includes('room_vacated'));
  await settled();
  const each = (type: string): string[] => people.map((_, n) => `${type} user-${n}`);
  const expected = [...each('member_joined'), ...each('member_left'), 'room_occupied', 'room_vacated'];
  expect(events(room).toSorted()).toEqual(expected);
});
