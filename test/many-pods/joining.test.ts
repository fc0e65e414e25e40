import { expect, test } from 'vitest';
import { aWorld, ids } from './world.ts';
import { type Client, type Frame, part } from '../support/client.ts';
import { fresh, guest, join, member, range, settled } from '../integration/people.ts';

const here = aWorld({ pods: 3, env: { HISTORY_SIZE: '1000', MAX_ROOMS_PER_CONNECTION: '1000' } });

/** Rooms in which a join and publications meet. */
const RACES = 100;
/** Messages in each of them; the join comes in the middle. */
const MESSAGES = 12;

interface Race {
  /** Of all that was published, in order. */
  readonly sequence: unknown[];
  /** What the answer to the join says. */
  readonly answer: Frame;
  /** Where in the sequence its position is; -1 is before the first. */
  readonly index: number;
}

/** Publishes on one pod while somebody joins on another. */
async function race(room: string, speaker: Client, listener: Client, asked: Frame): Promise<Race> {
  for (const n of range(1, MESSAGES)) {
    speaker.send({ room, data: n });
    if (n === MESSAGES / 2) listener.send({ type: 'join', room, ...asked });
    // Some of the races are let run for a turn, so that the join is not always as late as it can be.
    if (n % 4 === 0) await new Promise((resolve) => void setImmediate(resolve));
  }
  const answer = part(await listener.next({ event: 'joined', room }), 'data');
  await speaker.next({ room, data: MESSAGES });
  // What is not behind the position comes by itself: nothing that follows brings it to light.
  const isBehind = ids(speaker, room).indexOf(answer['position']) === MESSAGES - 1;
  if (!isBehind) await listener.next({ room, data: MESSAGES });
  speaker.send({ room, data: 'last' });
  for (const one of [speaker, listener]) await one.next({ room, data: 'last' });
  const sequence = ids(speaker, room);
  return { sequence, answer, index: sequence.indexOf(answer['position']) };
}

test('Who joins while others publish on another pod gets all that follows joined.position, once', async () => {
  const [alice, bob, carol] = [await guest(here.a), await guest(here.b), await guest(here.c)];
  const positions = new Set<number>();
  for (const _ of range(1, RACES)) {
    const room = fresh();
    await join(alice, room);
    const { sequence, answer, index } = await race(room, alice, bob, {});
    positions.add(index);
    expect(ids(bob, room)).toEqual(sequence.slice(index + 1));
    // The position is good for a recovery on a third pod, also where it is none of a message.
    const joined = await join(carol, room, { last_id: answer['position'] });
    expect(joined).toMatchObject({ data: { recovered: true, replayed: sequence.length - index - 1 } });
    await settled(carol);
    expect(ids(carol, room)).toEqual(sequence.slice(index + 1));
  }
  // They have met in more than one way.
  expect(positions.size).toBeGreaterThan(1);
});

test('Who resumes while others publish on another pod gets all that follows last_id, once', async () => {
  const [alice, bob] = [await guest(here.a), await guest(here.b)];
  for (const _ of range(1, RACES)) {
    const room = fresh();
    const position = part(await join(alice, room), 'data')['position'];
    const { sequence, answer, index } = await race(room, alice, bob, { last_id: position });
    expect(answer).toMatchObject({ recovered: true, replayed: index + 1 });
    expect(ids(bob, room)).toEqual(sequence);
  }
});

test('Who asks for history while others publish on another pod gets it and all that follows, once', async () => {
  const [alice, bob] = [await guest(here.a), await guest(here.b)];
  for (const _ of range(1, RACES / 2)) {
    const room = fresh();
    await join(alice, room);
    const { sequence, answer, index } = await race(room, alice, bob, { history: 2 });
    const replayed = Number(answer['replayed']);
    expect(replayed).toBe(Math.min(index + 1, 2));
    expect(ids(bob, room)).toEqual(sequence.slice(index + 1 - replayed));
  }
});

test('Who joins a pod while the last member there leaves hears the room', async () => {
  const room = fresh();
  const alice = await member(here.a, room, 'alice');
  const [bob, carol] = [await guest(here.b, 'bob'), await guest(here.b, 'carol')];
  let [leaves, comes] = [bob, carol];
  await join(leaves, room);
  for (const n of range(1, RACES / 2)) {
    leaves.send({ type: 'leave', room });
    comes.send({ type: 'join', room });
    alice.send({ room, data: { n } });
    await comes.next({ event: 'joined', room });
    await leaves.next({ event: 'left', room });
    alice.send({ room, data: { heard: n } });
    for (const one of [alice, comes]) await one.next({ data: { heard: n } });
    [leaves, comes] = [comes, leaves];
  }
  const sequence = ids(alice, room);
  expect(sequence).toHaveLength(RACES);
  for (const one of [bob, carol]) {
    const own = ids(one, room);
    expect(new Set(own).size).toBe(own.length);
    expect(own).toEqual(sequence.filter((id) => own.includes(id)));
  }
});
