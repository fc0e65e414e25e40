import { afterEach, expect, test } from 'vitest';
import { at } from '../../many-pods/world.ts';
import { openPod, type PresencePod, who } from './presence-pod.ts';
import { clusterOf } from './world.ts';
import { NatsSubject } from './subject.ts';

/** An election takes some seconds. */
const PATIENTLY = { timeout: 30_000 };
/** A user who leaves during an outage stays present for so long. */
const LEASE_MS = 15_000;

const nats = new NatsSubject();
afterEach(() => nats.close());

async function allSee(all: readonly PresencePod[], users: string[]): Promise<void> {
  for (const pod of all) await expect.poll(() => pod.users(), PATIENTLY).toEqual(users);
}

test(
  'The leader of presence in a cluster stops: no present user leaves, and later changes are announced',
  { timeout: 90_000 },
  async () => {
    const { servers, ...cluster } = await clusterOf().then((one) => ({
      servers: one.servers,
      leaderOf: () => one.leaderOf(`${nats.prefix}-presence`),
    }));
    const all = servers.map(({ port }) => port);
    // Each prefers another server.
    const pods = await Promise.all(
      all.map((port) =>
        openPod(nats, {
          ports: [port, ...all.filter((other) => other !== port)],
          replicas: 3,
          leaseMs: LEASE_MS,
        }),
      ),
    );
    const crowd = Array.from({ length: 30 }, (_, n) => who(`user-${String(n).padStart(2, '0')}`));
    // Streams that have just been made may have no leader yet.
    for (const pod of pods) await expect.poll(() => pod.users(), PATIENTLY).toEqual([]);
    await Promise.all(
      crowd.map((one, n) =>
        at(pods, n % 3)
          .store.enter('r', one)
          .catch(() => 'away'),
      ),
    );
    const users = crowd.map(({ userId }) => userId);
    await allSee(pods, users);
    const leader = await cluster.leaderOf();
    await leader.kill();
    for (const [n, one] of crowd.entries())
      if (n < 3)
        await at(pods, n)
          .store.exit('r', one)
          .catch(() => 'away');
    await allSee(pods, users.slice(3));
    for (const pod of pods) {
      for (const user of users.slice(3))
        expect(pod.told.filter((one) => one.startsWith(`${user} leave`))).toEqual([]);
    }
    for (const pod of pods)
      await expect
        .poll(
          () => pod.store.state('r', who('zoe', `zoe-${pod.backbone.pod}`), { status: 'away' }).catch(String),
          PATIENTLY,
        )
        .toMatchObject({ member: { userId: 'zoe', status: 'away' } });
    await allSee(pods, [...users.slice(3), 'zoe']);
  },
);
