import { expect, test } from 'vitest';
import type { Crosspod } from '../../src/client/client.ts';
import type { ClientFrame, Session } from './scripted-server.ts';
import { connected } from './with-server.ts';

function ack(session: Session, { ref }: ClientFrame, id: string): void {
  session.send({ type: 'ack', ref, id, room: 'r' });
}

function isUp(client: Crosspod): Promise<void> {
  if (client.state === 'connected') return Promise.resolve();
  return new Promise((resolve) => client.onState((state) => void (state === 'connected' && resolve())));
}

function isDown(client: Crosspod): Promise<void> {
  return new Promise((resolve) => client.onState((state) => void (state === 'reconnecting' && resolve())));
}

test('a send resolves with the id of the message', async () => {
  const { client, session } = await connected();
  const sent = client.room('r').send({ text: 'hi' });
  const frame = await session.take();
  expect(frame).toEqual({ type: 'chat', room: 'r', data: { text: 'hi' }, ref: expect.any(String) });
  ack(session, frame, '17');
  expect(await sent).toBe('17');
});

test('a direct message names its receiver', async () => {
  const { client, session } = await connected();
  const sent = client.sendTo('bob', 'psst');
  const frame = await session.take();
  expect(frame).toMatchObject({ type: 'chat', to: 'bob', data: 'psst' });
  ack(session, frame, 'd1');
  expect(await sent).toBe('d1');
});

test('a send that the server refuses rejects with its code, its text and when to try again', async () => {
  const { client, session } = await connected();
  await isUp(client);
  const sent = client.room('r').send('hi');
  session.refuse(await session.take(), 'rate_limited', 250);
  await expect(sent).rejects.toMatchObject({
    name: 'CrosspodError',
    code: 'rate_limited',
    message: 'rate_limited!',
    retryAfterMs: 250,
  });
});

test('what waited when the line came up is sent one at a time and first, with the ref it had', async () => {
  const { client, server, session } = await connected();
  await isUp(client);
  const results = [client.room('r').send('a'), client.room('r').send('b')];
  const first = [await session.take(), await session.take()];
  const down = isDown(client);
  session.breaks();
  await down;
  results.push(client.room('r').send('c'));
  const next = await server.session();
  const again = await next.take();
  expect(again).toEqual(first[0]);
  results.push(client.room('r').send('d'));
  await next.settled();
  ack(next, again, '1');
  const second = await next.take();
  expect(second).toEqual(first[1]);
  ack(next, second, '2');
  results.push(client.room('r').send('e'));
  const third = await next.take();
  expect(third).toMatchObject({ data: 'c' });
  await next.settled();
  ack(next, third, '3');
  const others = [await next.take(), await next.take()];
  expect(others).toMatchObject([{ data: 'd' }, { data: 'e' }]);
  others.forEach((frame, index) => ack(next, frame, String(index + 4)));
  expect(await Promise.all(results)).toEqual(['1', '2', '3', '4', '5']);
});

test('refs of two clients never meet', async () => {
  const [one, two] = await Promise.all([connected(), connected()]);
  one.client
    .room('r')
    .send(1)
    .catch(() => {});
  two.client
    .room('r')
    .send(1)
    .catch(() => {});
  expect((await one.session.take()).ref).not.toBe((await two.session.take()).ref);
});

test('what waited and is refused for now is tried again', async () => {
  const { client, server, session } = await connected();
  await isUp(client);
  const sent = client.room('r').send('a');
  const frame = await session.take();
  session.breaks();
  const next = await server.session();
  next.refuse(await next.take(), 'rate_limited', 5);
  const again = await next.take();
  expect(again).toEqual(frame);
  ack(next, again, '1');
  expect(await sent).toBe('1');
});

test('a resend that is refused for good rejects, and the next one follows', async () => {
  const { client, server, session } = await connected();
  await isUp(client);
  const first = client.room('r').send('a');
  const second = client.room('r').send('b');
  await session.take();
  await session.take();
  session.breaks();
  const next = await server.session();
  next.refuse(await next.take(), 'forbidden');
  await expect(first).rejects.toMatchObject({ code: 'forbidden' });
  ack(next, await next.take(), '2');
  expect(await second).toBe('2');
});

test('more than a hundred unacked messages are refused at once', async () => {
  const { client, session } = await connected();
  await isUp(client);
  const sends = Array.from({ length: 100 }, (_, n) => client.room('r').send(n));
  await expect(client.room('r').send(100)).rejects.toMatchObject({ code: 'queue_full' });
  ack(session, await session.take(), 'first');
  expect(await sends[0]).toBe('first');
  const one = client.room('r').send(101);
  client.close();
  const results = await Promise.allSettled([...sends.slice(1), one]);
  expect(results.every((result) => result.status === 'rejected')).toBe(true);
});

test('when the client is closed what waits rejects, and so does what comes later', async () => {
  const { client, session } = await connected();
  await isUp(client);
  const sent = client.room('r').send('a');
  const joined = client.room('r').join();
  await session.take();
  client.close();
  await expect(sent).rejects.toMatchObject({ code: 'closed' });
  await expect(joined).rejects.toMatchObject({ code: 'closed' });
  await expect(client.room('r').send('b')).rejects.toMatchObject({ code: 'closed' });
  await expect(client.room('s').join()).rejects.toMatchObject({ code: 'closed' });
});

test('an error that nobody waits for reaches the client', async () => {
  const { client, session } = await connected();
  const error = new Promise((resolve) => client.onError(resolve));
  session.send({ type: 'error', data: { code: 'not_in_room', error: 'join the room first' } });
  expect(await error).toMatchObject({ code: 'not_in_room', message: 'join the room first' });
});

test('what JSON cannot hold is refused at once and keeps nothing else from being sent', async () => {
  const { client, server, session } = await connected();
  await isUp(client);
  await expect(client.room('r').send(10n)).rejects.toThrow(TypeError);
  const down = isDown(client);
  session.breaks();
  await down;
  const bad = client
    .room('r')
    .send({ n: 1n })
    .catch((error: unknown) => error);
  const good = client.room('r').send('innocent');
  expect(await bad).toBeInstanceOf(TypeError);
  const next = await server.session();
  ack(next, await next.take(), '1');
  expect(await good).toBe('1');
  expect(() => client.room('r').setPresence('online', { n: 1n })).toThrow(TypeError);
});
