import { afterAll, describe, expect, test } from 'vitest';
import { startPod } from '../support/pod.ts';
import { type Client, type Frame, open } from '../support/client.ts';
import { fresh, guest, namedListener, numbered, oldListener, published, settledChannel } from './people.ts';

const pod = await startPod({ HISTORY_SIZE: '5' });
afterAll(() => pod.stop());

const text = expect.stringMatching(/./);

async function named(user = fresh('user')): Promise<Client> {
  return open(pod, `/ws?user_id=${user}`, { protocols: ['crosspod.channel.v1'] });
}

/** Subscribes to broadcasts and gives the answer. */
async function subscribed(client: Client, channel: string, more: Frame = {}): Promise<Frame> {
  client.send({ type: 'subscribe', channel, listen: ['broadcast'], ...more });
  return client.next({ type: 'subscribed', channel });
}

/** The numbers in the payloads of a channel, as they came. */
function payloads(client: Client, channel: string): unknown[] {
  return client.all({ type: 'broadcast', channel }).map(({ payload }) => (payload as { n?: unknown }).n);
}

describe('A client that names the channel dialect', () => {
  test('has its subscribe answered with the position and its ref', async () => {
    const channel = fresh();
    expect(await subscribed(await named(), channel, { ref: 's1' })).toMatchObject({
      type: 'subscribed',
      channel,
      position: text,
      ref: 's1',
    });
  });

  test('has its subscribe answered without a ref as well, and no recovered where it asked for none', async () => {
    expect(await subscribed(await named(), fresh())).not.toHaveProperty('recovered');
  });

  test('hears broadcasts with the id that it can resume from', async () => {
    const channel = fresh();
    const client = await named('alice');
    await subscribed(client, channel);
    const id = await published(client, { type: 'broadcast', channel, event: 'e', payload: { n: 1 } });
    expect(await client.next({ type: 'broadcast', channel })).toMatchObject({
      type: 'broadcast',
      channel,
      event: 'e',
      payload: { n: 1 },
      user_id: 'alice',
      ts: expect.any(Number),
      id,
    });
    const back = await subscribed(await named(), channel, { last_id: id });
    expect(back).toMatchObject({ recovered: true, position: id });
  });

  test('has a broadcast with a ref acked, and acked again with the same id when it repeats it', async () => {
    const channel = fresh();
    const client = await named();
    await subscribed(client, channel);
    const frame = { type: 'broadcast', channel, payload: { n: 1 } };
    const id = await published(client, frame, 'same');
    expect(await published(client, frame, 'same')).toBe(id);
    await published(client, { ...frame, payload: { n: 'marker' } });
    await client.next({ payload: { n: 'marker' } });
    expect(payloads(client, channel)).toEqual([1, 'marker']);
  });

  test('has a presence frame with a ref acked', async () => {
    const channel = fresh();
    const client = await named();
    for (const type of ['presence_join', 'presence_update', 'presence_leave']) {
      client.send({ type, channel, payload: {}, ref: type });
      await client.next({ type: 'ack', ref: type });
    }
  });

  test('unsubscribes, is told so, and hears the channel no longer', async () => {
    const [channel, other] = [fresh(), fresh()];
    const client = await named();
    await subscribed(client, channel);
    await subscribed(client, other);
    client.send({ type: 'unsubscribe', channel, ref: 'u' });
    await client.next({ channel, ref: 'u' });
    const speaker = await guest(pod);
    await published(speaker, { room: channel, data: { n: 1 } });
    await published(speaker, { room: other, data: { n: 2 } });
    await client.next({ channel: other, payload: { n: 2 } });
    expect(payloads(client, channel)).toEqual([]);
  });

  test('is told what is wrong with a frame, with a ref or without', async () => {
    const client = await named();
    client.send({ type: 'nope', channel: 'x', ref: 'n' });
    expect(await client.next({ ref: 'n' })).toEqual({
      type: 'error',
      channel: 'x',
      error: text,
      code: 'unknown_type',
      ref: 'n',
    });
    client.send('nope');
    expect(await client.next({ code: 'invalid_json' })).toEqual({
      type: 'error',
      error: text,
      code: 'invalid_json',
    });
    await settledChannel(client);
  });

  test.each<[string, Frame]>([
    ['invalid_room', { type: 'subscribe', channel: '-' }],
    ['invalid_room', { type: 'subscribe' }],
    ['invalid_room', { type: 'broadcast', channel: 'a b' }],
    ['invalid_room', { type: 'presence_join', channel: '@global' }],
    ['invalid_message', { type: 'subscribe', channel: 'x', listen: 'broadcast' }],
    ['invalid_message', { type: 'subscribe', channel: 'x', listen: ['nope'] }],
    ['invalid_message', { type: 'broadcast', channel: 'x', event: 5 }],
    ['invalid_message', { type: 'subscribe', channel: 'x', last_id: 5 }],
    ['unknown_type', { type: 'chat', channel: 'x' }],
    ['type_not_allowed', { type: 'ack', channel: 'x' }],
    ['type_not_allowed', { type: 'error', channel: 'x' }],
    ['not_in_room', { type: 'unsubscribe', channel: 'elsewhere' }],
  ])('is told %s for %o', async (code, frame) => {
    const client = await named();
    client.send({ ...frame, ref: 'r' });
    await client.next({ type: 'error', code, ref: 'r' });
    await settledChannel(client);
  });

  test('is not told of frames that the dialect does not know, such as connected', async () => {
    const client = await named();
    await settledChannel(client);
    expect(client.all((frame) => !['subscribed', 'broadcast'].includes(String(frame['type'])))).toEqual([]);
  });

  test('hears the presence as an old client does', async () => {
    const channel = fresh();
    const client = await namedListener(pod, channel, 'alice', ['presence']);
    const old = await oldListener(pod, channel, 'zoe', ['presence']);
    const bob = await oldListener(pod, channel, 'bob', []);
    bob.send({ type: 'presence_join', channel, payload: { a: 1 } });
    expect(await client.next({ type: 'presence_join' })).toEqual(await old.next({ type: 'presence_join' }));
    await client.next({ type: 'presence_sync', channel, users: [] });
  });
});

describe('A subscribe with last_id', () => {
  test('brings what was missed in order, after the answer and before what is live', async () => {
    const channel = fresh();
    const speaker = await guest(pod);
    const ids = await numbered(speaker, channel, 1, 4);
    const client = await named();
    const answer = await subscribed(client, channel, { last_id: ids[1] });
    expect(answer).toMatchObject({ recovered: true, position: ids[3] });
    await numbered(speaker, channel, 5, 5);
    await client.next({ payload: { n: 5 } });
    expect(payloads(client, channel)).toEqual([3, 4, 5]);
    expect(client.frames[0]).toEqual(answer);
  });

  test('brings nothing and says recovered when nothing was missed', async () => {
    const channel = fresh();
    const first = await subscribed(await named(), channel);
    const client = await named();
    const answer = await subscribed(client, channel, { last_id: first['position'] });
    expect(answer).toMatchObject({ recovered: true });
    await settledChannel(client);
    expect(payloads(client, channel)).toEqual([]);
  });

  test('says what could not be recovered, and brings all that is kept', async () => {
    const channel = fresh();
    const ids = await numbered(await guest(pod), channel, 1, 9);
    const trimmed = await named();
    expect(await subscribed(trimmed, channel, { last_id: ids[0] })).toMatchObject({
      recovered: false,
      reason: 'trimmed',
    });
    await trimmed.next({ payload: { n: 9 } });
    expect(payloads(trimmed, channel)).toEqual([5, 6, 7, 8, 9]);
    expect(await subscribed(await named(), channel, { last_id: 'nonsense' })).toMatchObject({
      recovered: false,
      reason: 'unknown_position',
    });
  });

  test('is answered to an old client if it has a ref', async () => {
    const channel = fresh();
    const ids = await numbered(await guest(pod), channel, 1, 2);
    const old = await open(pod, '/ws');
    old.send({ type: 'subscribe', channel, listen: ['broadcast'], last_id: ids[0], ref: 's' });
    expect(await old.next({ type: 'subscribed' })).toMatchObject({ channel, recovered: true, ref: 's' });
    await old.next({ type: 'broadcast', payload: { n: 2 } });
  });
});
