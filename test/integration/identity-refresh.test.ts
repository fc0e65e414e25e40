import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { type Client, type Frame, open, part } from '../support/client.ts';
import { startPod } from '../support/pod.ts';
import { type Claims, bearer, inSeconds, SECRET, signedIn, token } from '../support/tokens.ts';
import { fresh, join, published, settled, settledChannel } from './people.ts';

const pod = await startPod({ JWT_SECRET: SECRET });
afterAll(() => pod.stop());

const ALL = ['join:*', 'publish:*', 'presence:*', 'history:*'];

/** Of the message dialect, in no room. */
async function person(claims: Claims): Promise<Client> {
  const client = await open(pod, '/ws?dialect=message', { headers: await signedIn(claims) });
  await client.next({ event: 'connected' });
  return client;
}

async function listener(claims: Claims): Promise<Client> {
  return open(pod, '/ws', { protocols: ['crosspod.channel.v1'], headers: await signedIn(claims) });
}

/** Sends a new token in the words of either dialect and gives the answer. */
async function refreshed(client: Client, text: unknown): Promise<Frame> {
  const ref = fresh('auth');
  const isChannel = client.ws.protocol === 'crosspod.channel.v1';
  client.send({ type: 'auth', ref, ...(isChannel ? { token: text } : { data: { token: text } }) });
  return client.next({ ref });
}

/** A token of these claims, of a user who has one already. */
async function refreshedWith(client: Client, claims: Claims): Promise<void> {
  const answer = await refreshed(client, await token(claims));
  expect(answer['event'] ?? answer['type']).toBe('authenticated');
}

/** What an answer says went wrong, in either dialect. */
function faultOf(answer: Frame): unknown {
  return [answer['type'], (answer['data'] as Frame | undefined)?.['code'] ?? answer['code']];
}

async function subscribed(client: Client, channel: string, listen: string[]): Promise<void> {
  client.send({ type: 'subscribe', channel, listen, ref: channel });
  await client.next({ type: 'subscribed', ref: channel });
}

describe('A new token in the session', () => {
  test('is answered with authenticated, its end and the ref, in the message dialect', async () => {
    const user = fresh('alice');
    const client = await person({ sub: user });
    const exp = inSeconds(7_200);
    expect(await refreshed(client, await token({ sub: user, exp }))).toMatchObject({
      type: 'system',
      event: 'authenticated',
      from: 'system',
      ref: expect.any(String),
      data: { expires_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) },
    });
    const { data } = (await refreshed(client, await token({ sub: user, exp }))) as { data: Frame };
    expect(Date.parse(String(data['expires_at']))).toBe(exp * 1_000);
  });

  test('is answered with authenticated, its end and the ref, in the channel dialect', async () => {
    const user = fresh('alice');
    const exp = inSeconds(7_200);
    const client = await listener({ sub: user });
    const answer = await refreshed(client, await token({ sub: user, exp }));
    expect(answer).toEqual({
      type: 'authenticated',
      ref: expect.any(String),
      expires_at: new Date(exp * 1_000).toISOString(),
    });
  });

  test('is answered without a ref, too', async () => {
    const user = fresh('alice');
    const text = await token({ sub: user });
    const client = await person({ sub: user });
    client.send({ type: 'auth', data: { token: text } });
    expect(await client.next({ event: 'authenticated' })).not.toHaveProperty('ref');
    const channel = await listener({ sub: user });
    channel.send({ type: 'auth', token: text });
    expect(await channel.next({ type: 'authenticated' })).not.toHaveProperty('ref');
  });

  test('may be one without an end', async () => {
    const user = fresh('alice');
    const text = await token({ sub: user, exp: undefined });
    const { data } = await refreshed(await person({ sub: user }), text);
    expect(data).not.toHaveProperty('expires_at');
    expect(await refreshed(await listener({ sub: user }), text)).not.toHaveProperty('expires_at');
  });

  test('may end at a time for which no calendar has a date, and the pod lives on', async () => {
    const own = await startPod({ JWT_SECRET: SECRET });
    onTestFinished(async () => void (await own.kill()));
    const bystander = await open(own, '/ws?dialect=message', { headers: await signedIn({ sub: 'bob' }) });
    for (const exp of [253_402_300_800, 99_999_999_999_999, 1e300]) {
      const text = await token({ sub: 'alice', exp });
      const client = await open(own, '/ws?dialect=message', { headers: bearer(text) });
      const channel = await open(own, '/ws', { protocols: ['crosspod.channel.v1'], headers: bearer(text) });
      client.send({ type: 'auth', data: { token: text }, ref: 'a' });
      channel.send({ type: 'auth', token: text, ref: 'a' });
      await settled(bystander);
      await client.next({ event: 'authenticated', ref: 'a' });
      await channel.next({ type: 'authenticated', ref: 'a' });
    }
    await settled(bystander);
  });

  test('leaves the connection, its rooms and its user as they are', async () => {
    const [room, user] = [fresh(), fresh('alice')];
    const client = await person({ sub: user });
    await join(client, room);
    await refreshedWith(client, { sub: user });
    client.send({ type: 'chat', room, data: 'hello' });
    await client.next({ type: 'chat', room, from: user, data: 'hello' });
    expect(client.all({ event: 'joined' })).toHaveLength(1);
    expect(client.all({ event: 'left' })).toEqual([]);
  });

  test('holds for the commands after it and not for those before', async () => {
    const [room, user] = [fresh(), fresh('alice')];
    const client = await person({ sub: user, permissions: [] });
    const text = await token({ sub: user, permissions: ALL });
    client.send({ type: 'join', room, ref: 'before' });
    client.send({ type: 'auth', data: { token: text }, ref: 'auth' });
    client.send({ type: 'join', room, ref: 'after' });
    await client.next({ type: 'error', ref: 'before', data: { code: 'forbidden' } });
    await client.next({ event: 'authenticated', ref: 'auth' });
    await client.next({ event: 'joined', ref: 'after' });
  });
});

describe.each([
  ['message', person],
  ['channel', listener],
])('A new token that is not taken, in the %s dialect,', (_, connect) => {
  const stays = async (client: Client): Promise<void> => {
    await (client.ws.protocol === '' ? settled(client) : settledChannel(client));
  };

  test('is forbidden if it is of another user, who one does not become', async () => {
    const user = fresh('alice');
    const client = await connect({ sub: user });
    const answer = await refreshed(client, await token({ sub: fresh('bob'), permissions: ['*:*', '*:@*'] }));
    expect(faultOf(answer)).toEqual(['error', 'forbidden']);
    await stays(client);
    const room = fresh();
    const bob = await person({ sub: fresh('bob') });
    await join(bob, room);
    await published(client, { type: client.ws.protocol === '' ? 'chat' : 'broadcast', room, channel: room });
    await bob.next({ type: 'chat', room, from: user });
  });

  test('is an invalid_token if it is a bad one', async () => {
    const user = fresh('alice');
    const client = await connect({ sub: user });
    for (const text of [
      'nonsense',
      'a.b.c',
      await token({ sub: user }, 'another-secret'),
      await token({ sub: user, nbf: inSeconds(3_600) }),
      await token({ sub: user, permissions: 'join:*' }),
      await token({}),
    ]) {
      expect(faultOf(await refreshed(client, text))).toEqual(['error', 'invalid_token']);
    }
    await stays(client);
  });

  test('is a token_expired if it has expired', async () => {
    const user = fresh('alice');
    const client = await connect({ sub: user });
    const answer = await refreshed(client, await token({ sub: user, exp: inSeconds(-3_600) }));
    expect(faultOf(answer)).toEqual(['error', 'token_expired']);
    await stays(client);
  });

  test('is an invalid_message if there is none', async () => {
    const client = await connect({ sub: fresh('alice') });
    for (const text of [undefined, 7, null, {}]) {
      expect(faultOf(await refreshed(client, text))).toEqual(['error', 'invalid_message']);
    }
    await stays(client);
  });

  test('does not close the connection, however often it is tried', async () => {
    const client = await connect({ sub: fresh('alice') });
    for (let n = 0; n < 15; n += 1) await refreshed(client, 'nonsense');
    await stays(client);
  });
});

describe('A new token with fewer permissions', () => {
  test('ends the memberships that it no longer permits, and no others', async () => {
    const [room, other, user] = [fresh(), fresh(), fresh('alice')];
    const client = await person({ sub: user });
    const bob = await person({ sub: fresh('bob') });
    await join(client, room);
    await join(client, other);
    await join(bob, room);
    await refreshedWith(client, { sub: user, permissions: [`join:${other}`] });
    await client.next({ event: 'left', room });
    await bob.next({ type: 'presence', room, from: user, data: { status: 'offline' } });
    await published(bob, { type: 'chat', room, data: 'secret' });
    await published(bob, { type: 'chat', room: other, data: 'public' });
    await client.next({ type: 'chat', data: 'public' });
    expect(client.all({ data: 'secret' })).toEqual([]);
    expect(client.all({ event: 'left', room: other })).toEqual([]);
    client.send({ type: 'leave', room, ref: 'l' });
    await client.next({ type: 'error', ref: 'l', data: { code: 'not_in_room' } });
  });

  test('ends all of many memberships', async () => {
    const user = fresh('alice');
    const rooms = Array.from({ length: 20 }, () => fresh());
    const client = await person({ sub: user });
    for (const room of rooms) await join(client, room);
    await refreshedWith(client, { sub: user, permissions: [] });
    for (const room of rooms) await client.next({ event: 'left', room });
    const bob = await person({ sub: fresh('bob') });
    for (const room of rooms) {
      expect(part(await join(bob, room), 'data')).toMatchObject({ count: 1 });
    }
  });

  test('ends the subscriptions of the channel dialect, and the presence in it', async () => {
    const [room, other, user] = [fresh(), fresh(), fresh('alice')];
    const client = await listener({ sub: user });
    const bob = await person({ sub: fresh('bob') });
    await join(bob, room);
    await subscribed(client, room, ['broadcast', 'presence']);
    await subscribed(client, other, ['broadcast']);
    client.send({ type: 'presence_join', channel: room, payload: {} });
    await bob.next({ type: 'presence', from: user, data: { status: 'online' } });
    await refreshedWith(client, { sub: user, permissions: [`join:${other}`] });
    await client.next({ type: 'unsubscribed', channel: room });
    await bob.next({ type: 'presence', from: user, data: { status: 'offline' } });
    await published(bob, { type: 'chat', room, data: 'secret' });
    await published(bob, { type: 'chat', room: other, data: 'public' });
    await client.next({ type: 'broadcast', channel: other, payload: 'public' });
    expect(client.all({ payload: 'secret' })).toEqual([]);
  });

  test('holds for every command from then on', async () => {
    const [room, user] = [fresh(), fresh('alice')];
    const client = await person({ sub: user });
    await join(client, room);
    await refreshedWith(client, { sub: user, permissions: [`join:${room}`] });
    for (const frame of [
      { type: 'chat', room, data: 1 },
      { type: 'presence', room, data: { status: 'away' } },
      { type: 'join', room: fresh() },
    ]) {
      const ref = fresh('ref');
      client.send({ ...frame, ref });
      await client.next({ type: 'error', ref, data: { code: 'forbidden' } });
    }
  });

  test('shows the presence of others no longer if it does not permit that', async () => {
    const [room, user, zoe, late] = [fresh(), fresh('alice'), fresh('zoe'), fresh('carol')];
    const client = await person({ sub: user });
    const channel = await listener({ sub: zoe });
    await join(client, room);
    await subscribed(channel, room, ['broadcast', 'presence']);
    await refreshedWith(client, { sub: user, permissions: ['join:*', 'publish:*'] });
    await refreshedWith(channel, { sub: zoe, permissions: ['join:*'] });
    const carol = await person({ sub: late });
    await join(carol, room);
    await published(carol, { type: 'chat', room, data: 'marker' });
    await client.next({ data: 'marker' });
    await channel.next({ payload: 'marker' });
    expect(client.all({ type: 'presence', from: late })).toEqual([]);
    expect(channel.all({ type: 'presence_join', user_id: late })).toEqual([]);
  });

  test('does not end a presence that needs no membership as long as it is permitted', async () => {
    const [room, user] = [fresh(), fresh('alice')];
    const claims = { sub: user, permissions: ['presence:*'] };
    const client = await listener(claims);
    const bob = await person({ sub: fresh('bob') });
    await join(bob, room);
    client.send({ type: 'presence_join', channel: room, payload: { name: 'Alice' }, ref: 'p' });
    await client.next({ type: 'ack', ref: 'p' });
    await bob.next({ type: 'presence', from: user, data: { status: 'online' } });
    await refreshedWith(client, claims);
    await published(bob, { type: 'chat', room, data: 'marker' });
    await bob.next({ data: 'marker' });
    expect(bob.all({ type: 'presence', from: user, data: { status: 'offline' } })).toEqual([]);
  });
});

test('A new token with more permissions opens what was closed', async () => {
  const [room, user] = [fresh(), fresh('alice')];
  const client = await person({ sub: user, permissions: [] });
  client.send({ type: 'join', room, ref: 'j' });
  await client.next({ type: 'error', ref: 'j', data: { code: 'forbidden' } });
  await refreshedWith(client, { sub: user, permissions: ['*:*', 'publish:@global'] });
  await join(client, room);
  await published(client, { type: 'chat', room, data: 1 });
  await published(client, { type: 'chat', event: 'everywhere', data: 1 });
});

describe('When its token ends', () => {
  test('a connection is closed with 4401, unless it was refreshed in time', async () => {
    const [room, user, bob] = [fresh(), fresh('alice'), fresh('bob')];
    const soon = await token({ sub: user, exp: inSeconds(5) });
    const saved = await open(pod, `/ws/${room}`, { headers: bearer(soon) });
    const savedToo = await open(pod, '/ws', {
      protocols: ['crosspod.channel.v1', `bearer.${soon}`],
    });
    const lost = await open(pod, `/ws/${room}`, { headers: bearer(soon) });
    const lostToo = await open(pod, `/ws?token=${soon}`);
    const triedInVain = await open(pod, `/ws/${room}`, { headers: bearer(soon) });
    const shortened = await person({ sub: bob });
    await refreshedWith(saved, { sub: user });
    await refreshedWith(savedToo, { sub: user, exp: undefined });
    await refreshed(triedInVain, await token({ sub: fresh('carol') }));
    await refreshedWith(shortened, { sub: bob, exp: inSeconds(3) });
    for (const client of [lost, lostToo, triedInVain, shortened]) {
      expect((await client.closed).code).toBe(4401);
    }
    await settled(saved);
    await settledChannel(savedToo);
    const metrics = await (await fetch(`${pod.opsUrl}/metrics`)).text();
    expect(metrics).toMatch(/^realtime_closes\{code="4401"\} [4-9]/m);
  });
});
