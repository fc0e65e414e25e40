import { expect, onTestFinished, test } from 'vitest';
import type { Platform } from '../../src/client/client.ts';
import { eventually, podOn, redisOf, SLOW } from '../faults/world.ts';
import { Person } from './person.ts';
import { hasty, membersAre, personAt } from './world.ts';

/** A timer of the test that is so much shorter than the client's own always ends first, however busy the machine. */
const EARLIER_MS = 200;

/**
 * A machine on which everything the client asks of the server is noted in order, and also when the time that the
 * server asked for is (nearly) over: whoever knocks before that does not obey.
 */
function observed(): { platform: Partial<Platform>; happened: string[] } {
  const happened: string[] = [];
  class ObservedSocket extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      happened.push('knock');
    }
  }
  const ask: Platform['fetch'] = async (url, init) => {
    const answer = await fetch(url, init);
    const seconds = Number(answer.headers.get('Retry-After'));
    happened.push(`refused: ${answer.status}, ${seconds}`);
    const timer = setTimeout(() => happened.push('time is over'), seconds * 1_000 - EARLIER_MS);
    onTestFinished(() => clearTimeout(timer));
    return answer;
  };
  return { platform: { ...hasty(), WebSocket: ObservedSocket, fetch: ask }, happened };
}

test('a pod that is full is asked again no sooner than it wants, and lets in who waited', SLOW, async () => {
  const pod = await podOn(await redisOf(), { MAX_CONNECTIONS: '1' });
  const first = await personAt(pod, 'first');
  const { platform, happened } = observed();
  const second = new Person('second', pod.wsUrl, { platform });
  onTestFinished(() => second.client.close());
  void second.say();
  const refusal = ['knock', 'refused: 503, 5', 'time is over'];
  await eventually('a second refusal', () => second.ends.length === 2);
  expect(happened.slice(0, 5)).toEqual([...refusal, ...refusal.slice(0, -1)]);
  expect(second.states).toEqual([]);
  first.client.close();
  await eventually('the second to be in', () => second.states.length > 0);
  expect(happened).toEqual([...refusal, ...refusal, 'knock']);
  const atCapacity = { code: 1006, reason: 'server at capacity' };
  expect(second.ends).toEqual([atCapacity, atCapacity]);
  expect(second.states).toEqual(['connected']);
  await eventually('its message', () => second.acked.size === 1);
  await membersAre([second], ['second']);
});
