import { once } from 'node:events';
import { afterAll, describe, expect, test } from 'vitest';
import { startPod } from '../support/pod.ts';
import { type Client, open, part } from '../support/client.ts';
import { fresh, guest, member, published, settled, settledChannel } from './people.ts';

const pod = await startPod();
afterAll(() => pod.stop());

/** Which dialect a client is answered in: `connected` comes in one of them only, whatever the frame is. */
async function dialectOf(client: Client): Promise<string> {
  const channel = fresh();
  client.send({ type: 'subscribe', channel, ref: 'which' });
  const { type } = await client.next({ ref: 'which' });
  return type === 'subscribed' ? 'channel' : 'message';
}

describe('A client that names its dialect', () => {
  test('by the subprotocol crosspod.message.v1 has it selected and is greeted at once', async () => {
    const client = await open(pod, '/ws', { protocols: ['crosspod.message.v1'] });
    expect(client.ws.protocol).toBe('crosspod.message.v1');
    await client.next({ type: 'system', event: 'connected' });
    expect(await dialectOf(client)).toBe('message');
  });

  test('by the subprotocol crosspod.channel.v1 has it selected and is not greeted', async () => {
    const client = await open(pod, '/ws', { protocols: ['crosspod.channel.v1'] });
    expect(client.ws.protocol).toBe('crosspod.channel.v1');
    expect(await dialectOf(client)).toBe('channel');
    expect(client.all({ event: 'connected' })).toEqual([]);
  });

  test('by ?dialect=message is greeted before it says anything', async () => {
    const client = await open(pod, '/ws?dialect=message');
    await client.next({ type: 'system', event: 'connected' });
    expect(await dialectOf(client)).toBe('message');
  });

  test('by ?dialect=channel is answered in it', async () => {
    const client = await open(pod, '/ws?dialect=channel');
    expect(await dialectOf(client)).toBe('channel');
    expect(client.all({ event: 'connected' })).toEqual([]);
  });

  test('by both has the subprotocol win over ?dialect=', async () => {
    const client = await open(pod, '/ws?dialect=message', { protocols: ['crosspod.channel.v1'] });
    expect(await dialectOf(client)).toBe('channel');
    const other = await open(pod, '/ws?dialect=channel', { protocols: ['crosspod.message.v1'] });
    expect(await dialectOf(other)).toBe('message');
  });

  test('by ?dialect=channel keeps it although a room in the address would mean message', async () => {
    const room = fresh();
    const client = await open(pod, `/ws/${room}?dialect=channel`);
    await client.next({ type: 'subscribed', channel: room });
    expect(client.all({ event: 'connected' })).toEqual([]);
  });

  test('among other subprotocols has that of the dialect selected', async () => {
    const client = await open(pod, '/ws', { protocols: ['bearer.abc', 'crosspod.channel.v1'] });
    expect(client.ws.protocol).toBe('crosspod.channel.v1');
  });

  test('by a name that no dialect has is refused', async () => {
    await expect(open(pod, '/ws?dialect=morse')).rejects.toThrow('400');
  });
});

describe('A client that does not name its dialect', () => {
  test('speaks the message dialect when its address names a room', async () => {
    const room = fresh();
    for (const address of [`/ws/${room}`, `/ws?room=${room}`]) {
      const client = await open(pod, address);
      await client.next({ type: 'system', event: 'connected' });
      await client.next({ type: 'system', event: 'joined', room });
      expect(await dialectOf(client)).toBe('message');
    }
  });

  test('is sent nothing until its first frame', async () => {
    const client = await open(pod, '/ws?user_id=quiet');
    const speaker = await guest(pod);
    await published(speaker, { type: 'chat', data: 'to all' });
    await published(speaker, { type: 'chat', to: 'quiet', data: 'to one' });
    const pong = once(client.ws, 'pong');
    client.ws.ping();
    await pong;
    expect(client.texts).toEqual([]);
    client.send({ type: 'ping', ref: 'first' });
    await client.next({ type: 'pong', ref: 'first' });
    expect(client.frames.map(({ type, event }) => event ?? type)).toEqual(['connected', 'pong']);
  });

  test('speaks the channel dialect when its first frame has a channel in it', async () => {
    const client = await open(pod, '/ws');
    client.send({ type: 'subscribe', channel: 'first-frame', listen: ['broadcast'] });
    await settledChannel(client);
    expect(client.frames.map(({ type }) => type)).toEqual(['broadcast']);
  });

  test('speaks the message dialect when its first frame has no channel in it', async () => {
    const client = await open(pod, '/ws');
    client.send({ type: 'join', room: 'first-frame', data: { channel: 'x' } });
    await client.next({ event: 'connected' });
    await client.next({ event: 'joined', room: 'first-frame' });
  });

  test('speaks the message dialect when its first frame is no JSON', async () => {
    const client = await open(pod, '/ws');
    client.send('channel');
    await client.next({ event: 'connected' });
    await client.next({ type: 'error', data: { code: 'invalid_json' } });
  });

  test('keeps the dialect of its first frame whatever comes later', async () => {
    const client = await open(pod, '/ws');
    await settled(client);
    client.send({ type: 'subscribe', channel: 'later', ref: 'later' });
    const error = await client.next({ type: 'error', ref: 'later' });
    expect(part(error, 'data')['code']).toBe('unknown_type');
  });

  test('is joined to the room of its address before its first frame is looked at', async () => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    const client = await open(pod, `/ws/${room}`);
    client.send({ data: 'hello' });
    await alice.next({ type: 'chat', data: 'hello' });
    await client.next({ type: 'chat', data: 'hello' });
    expect(client.frames.map(({ type, event }) => event ?? type)).toEqual(['connected', 'joined', 'chat']);
  });
});
