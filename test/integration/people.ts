import type { Pod } from '../support/pod.ts';
import { type Client, type Frame, open, until } from '../support/client.ts';

let counter = 0;

/** A name that no other test of the same file uses. */
export function fresh(prefix = 'room'): string {
  counter += 1;
  return `${prefix}-${counter}`;
}

/** A client of the message dialect that has joined the room of its address. */
export async function member(pod: Pod, room: string, user: string): Promise<Client> {
  const client = await open(pod, `/ws/${room}?user_id=${user}`);
  await client.next({ event: 'joined', room });
  return client;
}

/** A client of the message dialect that is in no room. */
export async function guest(pod: Pod, user?: string): Promise<Client> {
  const client = await open(pod, `/ws?dialect=message${user === undefined ? '' : `&user_id=${user}`}`);
  await client.next({ event: 'connected' });
  return client;
}

/** Joins and gives the answer. */
export async function join(client: Client, room: string, more: Frame = {}): Promise<Frame> {
  client.send({ type: 'join', room, ...more });
  return client.next({ event: 'joined', room });
}

/** A client as it was written for the seed: only its frames tell the dialect. It listens once this resolves. */
export async function oldListener(
  pod: Pod,
  channel: string,
  user: string,
  listen: string[],
): Promise<Client> {
  const client = await open(pod, `/ws?user_id=${user}`);
  await subscribe(client, channel, listen);
  return client;
}

/** Goes on where a client of the same user ended that was in the room. */
export async function resume(pod: Pod, room: string, user: string, former: Client): Promise<Client> {
  const client = await guest(pod, user);
  const { data } = former.frames.findLast(({ event }) => event === 'joined') as { data: Frame };
  await join(client, room, { last_id: data['position'] });
  return client;
}

/** A client that has named the channel dialect. It listens once this resolves. */
export async function namedListener(
  pod: Pod,
  channel: string,
  user: string,
  listen: string[],
): Promise<Client> {
  const client = await open(pod, `/ws?user_id=${user}&dialect=channel`);
  await subscribe(client, channel, listen);
  return client;
}

export async function subscribe(client: Client, channel: string, listen: string[]): Promise<void> {
  client.send({ type: 'subscribe', channel, listen });
  await settledChannel(client);
}

/** Everything that was sent to this client of the message dialect before has arrived: its ping is answered. */
export async function settled(client: Client): Promise<void> {
  const ref = fresh('settled');
  client.send({ type: 'ping', ref });
  await client.next({ type: 'pong', ref });
}

/** The same for the channel dialect: it hears itself in a channel of its own. */
export async function settledChannel(client: Client): Promise<void> {
  const channel = fresh('marker');
  client.send({ type: 'subscribe', channel, listen: ['broadcast'] });
  client.send({ type: 'broadcast', channel, event: 'marker', payload: null });
  await client.next({ type: 'broadcast', channel });
}

/** Sends a frame of either dialect with a `ref` and gives the id in its ack. */
export async function published(client: Client, frame: Frame, ref = fresh('ref')): Promise<string> {
  client.send({ ...frame, ref });
  const { id } = await client.next({ type: 'ack', ref });
  return String(id);
}

/** Publishes numbered messages `{n: first} … {n: last}` in a room and gives their ids. */
export async function numbered(client: Client, room: string, first: number, last: number): Promise<string[]> {
  const ids: string[] = [];
  for (let n = first; n <= last; n += 1)
    ids.push(await published(client, { type: 'chat', room, data: { n } }));
  return ids;
}

/** The numbers of the messages of a room, as they came. */
export function numbers(client: Client, room: string): unknown[] {
  return client
    .all((frame) => frame['type'] === 'chat' && frame['room'] === room)
    .map((frame) => (frame['data'] as { n?: unknown }).n);
}

/** A whole list of numbers: first, …, last. */
export function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/**
 * Waits until the pod has no more than these connections: it has noticed then that every other one is gone, those of
 * earlier tests included.
 */
export async function connections(pod: Pod, expected: number): Promise<void> {
  await until(`${expected} connections`, async () => {
    const answer = await fetch(`${pod.url}/ws/stats`);
    const stats = (await answer.json()) as Frame;
    return stats['connections'] === expected;
  });
}
