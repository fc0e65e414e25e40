import { expect, test } from 'vitest';
import { connected } from './with-server.ts';

function presence(user: string, status: string, meta: object = {}): object {
  return { type: 'presence', room: 'r', from: user, data: { user_id: user, status, meta } };
}

test('a join without a list of members says so every time, and knows how many there are', async () => {
  const { client, server, session } = await connected();
  const room = client.room('r');
  const counts: number[] = [];
  room.onMembers((_, count) => counts.push(count));
  const joined = room.join({ history: 5, members: false });
  const count = { count: 3, members: undefined, position: '7' };
  expect(await session.admit(count)).toMatchObject({ history: 5, members: false });
  await joined;
  session.breaks();
  const next = await server.session();
  const again = await next.admit(count);
  expect(again).toMatchObject({ last_id: '7', members: false });
  expect(again).not.toHaveProperty('history');
  const changes = [
    ['bob', 'away', 3],
    ['bob', 'online', 3],
    ['carol', 'online', 4],
    ['carol', 'offline', 3],
    ['dora', 'offline', 2],
    ['bob', 'offline', 1],
  ] as const;
  for (const [user, status] of changes) next.send(presence(user, status));
  await next.settled();
  await expect.poll(() => counts.slice(-6)).toEqual(changes.map(([, , after]) => after));
});
