import { describe, expect, test } from 'vitest';
import { NatsNotTaken, natsUnavailable } from '../../../src/engines/nats/connection/answers.ts';
import { InFlight } from '../../../src/engines/nats/history/in-flight.ts';
import { isOnServer, type StreamInfo } from '../../../src/engines/nats/connection/streams.ts';
import type { ServerInfo } from '@nats-io/transport-node';
import { turns } from '../../support/test-pod.ts';
import { Unavailable } from '../../../src/engines/shared/unavailable.ts';

const FULL = new NatsNotTaken('the account’s storage is full');
const LOST = natsUnavailable('the connection was closed');

interface Publication {
  readonly name: string;
  readonly prepared: PromiseWithResolvers<void>;
  readonly answer: PromiseWithResolvers<string>;
  readonly result: Promise<string>;
  outcome: string;
  isOvertaken: () => boolean;
}

function room() {
  const inFlight = new InFlight();
  const sent: string[] = [];
  function publish(name: string, isPrepared = true): Publication {
    const prepared = Promise.withResolvers<void>();
    if (isPrepared) prepared.resolve();
    const answer = Promise.withResolvers<string>();
    const publication: Publication = {
      name,
      prepared,
      answer,
      outcome: '',
      isOvertaken: () => false,
      result: inFlight.run(
        'r',
        () => prepared.promise,
        async (_, flight) => {
          sent.push(name);
          publication.isOvertaken = () => flight.isOvertaken;
          const said = await answer.promise;
          if (said !== 'lost ack') flight.stored();
          return said;
        },
      ),
    };
    publication.result.then(
      () => (publication.outcome = 'stored'),
      (error: unknown) => (publication.outcome = error instanceof Unavailable ? 'again' : 'rejected'),
    );
    return publication;
  }
  return { inFlight, sent, publish };
}

describe('publications of a room that are in flight at once', () => {
  test('are sent in order, whichever is ready first', async () => {
    const { sent, publish } = room();
    const [first, second, third] = [publish('a', false), publish('b', false), publish('c')];
    second.prepared.resolve();
    await turns(2);
    expect(sent).toEqual([]);
    first.prepared.resolve();
    await turns(2);
    expect(sent).toEqual(['a', 'b', 'c']);
    expect([first, second, third].map(({ isOvertaken }) => isOvertaken())).toEqual([true, true, false]);
  });

  test('are not sent after an earlier one has failed, and each failure waits for the later answers', async () => {
    const { inFlight, sent, publish } = room();
    const [first, second, third] = [publish('a'), publish('b'), publish('c', false)];
    await turns(2);
    first.answer.reject(LOST);
    await turns(2);
    expect([first.outcome, inFlight.mostIn('r', 9)]).toEqual(['', 1]);
    third.prepared.resolve();
    await turns(2);
    expect([sent, third.outcome, first.outcome]).toEqual([['a', 'b'], 'again', '']);
    second.answer.reject(LOST);
    await turns(2);
    expect([first.outcome, second.outcome, inFlight.mostIn('r', 9)]).toEqual(['again', 'again', 9]);
  });

  test('do not go before one that is not ready, when one between them has failed', async () => {
    const { sent, publish } = room();
    const [first, second, third] = [publish('a', false), publish('b', false), publish('c')];
    second.prepared.reject(new Error('refused'));
    await turns(2);
    expect(sent).toEqual([]);
    first.prepared.resolve();
    await turns(2);
    expect([sent, second.outcome]).toEqual([['a', 'c'], '']);
    third.answer.resolve('');
    await turns(2);
    expect([second.outcome, third.outcome]).toEqual(['rejected', 'stored']);
  });

  test('are rejected if the server did not store them, and stored a later one', async () => {
    const { publish } = room();
    const [first, second, third, fourth] = [publish('a'), publish('b'), publish('c'), publish('d')];
    await turns(2);
    first.answer.reject(FULL);
    second.answer.reject(LOST);
    third.answer.resolve('');
    await turns(2);
    fourth.answer.reject(FULL);
    await turns(2);
    const outcomes = [first, second, third, fourth].map(({ outcome }) => outcome);
    // Nothing was said of the second: it may be stored. Nothing was stored after the fourth.
    expect(outcomes).toEqual(['rejected', 'again', 'stored', 'again']);
    await expect(first.result).rejects.toMatchObject({ rejection: { code: 'unavailable' } });
  });

  test('of another room do not wait', async () => {
    const { inFlight, publish } = room();
    publish('a', false);
    // What is in flight in one room is not left for another.
    expect(['r', 'other'].map((name) => inFlight.mostIn(name, 4))).toEqual([4, 3]);
    expect(inFlight.mostIn('other', 1)).toBe(1);
    expect(
      await inFlight.run(
        'other',
        () => Promise.resolve(1),
        (one) => Promise.resolve(one),
      ),
    ).toBe(1);
  });
});

test('a stream is on a server that stands alone, and on no other', () => {
  const server = { server_name: 'a', jetstream: true } as ServerInfo;
  const info = { config: { num_replicas: 1 } } as StreamInfo;
  expect(isOnServer(info, server)).toBe(true);
  expect(isOnServer({ ...info, cluster: { leader: 'a' } }, server)).toBe(true);
  expect(isOnServer({ ...info, cluster: { leader: 'b' } }, server)).toBe(false);
  expect(isOnServer({ ...info, config: { num_replicas: 3 } } as StreamInfo, server)).toBe(false);
  expect(isOnServer(info, { ...server, cluster: 'c' })).toBe(false);
  expect(isOnServer(info, { ...server, jetstream: false })).toBe(false);
});
