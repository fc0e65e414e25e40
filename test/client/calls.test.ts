import { expect, test } from 'vitest';
import { connected } from './with-server.ts';

test('a call resolves with the answer of the application', async () => {
  const { client, session } = await connected();
  const sum = client.call('sum', [1, 2]);
  const frame = await session.take();
  expect(frame).toEqual({ type: 'call', method: 'sum', data: [1, 2], ref: expect.any(String) });
  session.send({ type: 'result', ref: frame.ref, data: { sum: 3 } });
  expect(await sum).toEqual({ sum: 3 });
});

test('a call that is rejected rejects with the code, whoever chose it', async () => {
  const { client, session } = await connected();
  const call = client.call('pay');
  session.refuse(await session.take(), 'no_money');
  await expect(call).rejects.toMatchObject({ code: 'no_money', message: 'no_money!' });
});

test('a call whose connection is lost is never sent again; one that was not sent waits', async () => {
  const { client, server, session } = await connected();
  const lost = client.call('first');
  await session.take();
  session.breaks();
  await expect(lost).rejects.toMatchObject({ code: 'outcome_unknown' });
  const waiting = client.call('second');
  const next = await server.session();
  const frame = await next.take();
  expect(frame['method']).toBe('second');
  next.send({ type: 'result', ref: frame.ref, data: null });
  expect(await waiting).toBeNull();
});

test('a closed client answers no calls', async () => {
  const { client, session } = await connected();
  const call = client.call('first');
  await session.take();
  client.close();
  await expect(call).rejects.toMatchObject({ code: 'closed' });
  await expect(client.call('second')).rejects.toMatchObject({ code: 'closed' });
});
