import { present, type World } from './world.ts';
import type { Client, Frame } from '../support/client.ts';
import { expect } from 'vitest';
import { member, published } from '../integration/people.ts';

export const online = (user: string): Frame => ({ type: 'presence', from: user, data: { status: 'online' } });
export const offline = (user: string): Frame => ({
  type: 'presence',
  from: user,
  data: { status: 'offline' },
});

/** One who watches the room on each pod. */
export async function watchers({ pods }: Pick<World, 'pods'>, room: string): Promise<Client[]> {
  const all: Client[] = [];
  for (const [n, pod] of pods.entries()) all.push(await member(pod, room, `watcher-${n}`));
  return all;
}

/** Who is in the room beside its watchers, as every pod shows it. */
export async function others({ pods }: Pick<World, 'pods'>, room: string): Promise<Record<string, Frame>> {
  const [first = {}, ...more] = await Promise.all(pods.map((pod) => present(pod, room)));
  for (const one of more) expect(one).toEqual(first);
  return Object.fromEntries(Object.entries(first).filter(([user]) => !user.startsWith('watcher')));
}

/** Says something of one's presence and waits until it is done. */
export async function state(client: Client, room: string, data: Frame): Promise<void> {
  await published(client, { type: 'presence', room, data });
}
