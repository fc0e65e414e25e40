import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { Crosspod, type CrosspodError } from '../../src/client/client.ts';
import { type Pod, startPod } from '../support/pod.ts';
import { connected } from './with-server.ts';

const MOST_BYTES = 2_000;

let pod: Pod;

beforeAll(async () => {
  pod = await startPod({ MESSAGES_PER_SECOND: '0', MAX_MESSAGE_BYTES: String(MOST_BYTES) });
});
afterAll(() => pod.kill());

/** A client, and the ways it went since. */
function clientOf(userId: string): { client: Crosspod; states: string[] } {
  const client = new Crosspod(`${pod.wsUrl}/ws`, { userId });
  const states: string[] = [];
  client.onState((state) => states.push(state));
  onTestFinished(() => client.close());
  return { client, states };
}

/** `ok`, or the code with which it was refused. */
async function outcome(sent: Promise<unknown>): Promise<string> {
  return sent.then(
    () => 'ok',
    ({ code }: CrosspodError) => code,
  );
}

test.each([
  ['a', 1],
  ['ü', 2],
  ['語', 3],
  ['🙂', 4],
])('of %s as many are sent as the pod takes, and one more ends nothing', async (character, bytes) => {
  const { client, states } = clientOf('ann');
  const room = client.room('long');
  await room.join();
  const outcomes: string[] = [];
  for (let count = Math.floor((MOST_BYTES - 160) / bytes); count * bytes <= MOST_BYTES; count += 1)
    outcomes.push(await outcome(room.send(character.repeat(count))));
  const taken = outcomes.indexOf('too_large');
  expect(taken).toBeGreaterThan(0);
  expect(outcomes).toEqual(outcomes.map((_, index) => (index < taken ? 'ok' : 'too_large')));
  expect(states).toEqual(['connected']);
});

test('whatever it is that is too long, it alone is refused', async () => {
  const { client, states } = clientOf('ann');
  const [room, long] = [client.room('r'), 'x'.repeat(MOST_BYTES)];
  const refused: unknown[] = [];
  client.onError(({ code }) => refused.push(code));
  // Said before the client can know what the pod takes.
  const early = [outcome(room.send(long)), outcome(room.send('short'))];
  expect(await Promise.all(early)).toEqual(['too_large', 'ok']);
  const sent = [
    room.send(long),
    client.sendTo('bob', long),
    client.broadcast(long),
    client.room(long).join(),
  ];
  expect(await Promise.all(sent.map(outcome))).toEqual(Array(4).fill('too_large'));
  await room.join();
  room.setPresence('away', { long });
  expect(await outcome(room.send('after'))).toBe('ok');
  expect(refused).toEqual(['too_large']);
  expect(states).toEqual(['connected']);
});

test('a server that does not tell how much it takes is sent everything', async () => {
  const { client, session } = await connected();
  const long = 'x'.repeat(1_000_000);
  void client
    .room('r')
    .send(long)
    .catch(() => {});
  expect(await session.take()).toMatchObject({ data: long });
});
