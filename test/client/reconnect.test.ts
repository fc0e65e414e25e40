import { expect, test } from 'vitest';
import type { CrosspodOptions, State } from '../../src/client/client.ts';
import { CLOSE } from '../../src/protocol/close-codes.ts';
import { settled } from './fake-clock.ts';
import { fakeClient } from './fake-platform.ts';
import type { FakeSocket } from './fake-socket.ts';

const rows = Object.values(CLOSE);
const codes = (reconnect: string) =>
  rows.filter((row) => row.reconnect === reconnect).map(({ code }) => code);

async function connect(options: CrosspodOptions = {}) {
  const { client, platform, clock, made } = fakeClient(options);
  const states: State[] = [client.state];
  client.onState((state) => states.push(state));
  await settled();
  const newest = (): FakeSocket => platform.newest;
  return { client, platform, clock, made, newest, states };
}

test('it is connecting until the server says connected, and reconnecting from a loss to the next connected', async () => {
  const { clock, newest, states } = await connect();
  newest().welcomes();
  newest().ends();
  await clock.advance(500);
  newest().welcomes();
  expect(states).toEqual(['connecting', 'connected', 'reconnecting', 'connected']);
});

test('it names the dialect, the user and the address that speaks WebSocket', async () => {
  const { newest } = await connect({ userId: 'ann lee' });
  expect(newest().url).toBe('ws://pod.test/ws?user_id=ann+lee');
  expect(newest().protocols).toEqual(['crosspod.message.v1']);
});

test('it waits longer after each failed attempt', async () => {
  const { clock, newest } = await connect();
  const waits: number[] = [];
  for (let attempt = 0; attempt < 7; attempt += 1) {
    newest().ends();
    await settled();
    const [wait = 0] = clock.due;
    waits.push(wait);
    await clock.advance(wait);
  }
  expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
});

test('it starts at the shortest wait again only after a connection that lasted', async () => {
  const { clock, newest } = await connect();
  newest().ends();
  await settled();
  await clock.advance(500);
  newest().welcomes();
  newest().ends();
  expect(clock.due).toEqual([1_000]);
  await clock.advance(1_000);
  newest().welcomes();
  await clock.advance(10_000);
  newest().ends();
  expect(clock.due).toEqual([500]);
});

test('the hint of a drain wins over the backoff, once', async () => {
  const { clock, newest } = await connect();
  newest().welcomes();
  newest().says({ type: 'system', event: 'drain', data: { reconnect_after_ms: 7_321 } });
  newest().ends(1012);
  expect(clock.due).toEqual([7_321]);
  await clock.advance(7_321);
  newest().ends();
  await settled();
  expect(clock.due).toEqual([1_000]);
});

test.each(codes('never'))('after a close with %i it stays away and says why', async (code) => {
  const { client, clock, made, newest, states } = await connect();
  const why: unknown[] = [];
  client.onState((_, closed) => why.push(closed));
  newest().welcomes();
  newest().ends(code, 'enough');
  await clock.advance(120_000);
  expect(states.at(-1)).toBe('closed');
  expect(why.at(-1)).toEqual({ code, reason: 'enough' });
  expect(made).toHaveLength(1);
});

test.each([...codes('backoff'), 1006, 4999])('after a close with %i it comes back', async (code) => {
  const { clock, made, newest } = await connect();
  newest().welcomes();
  newest().ends(code);
  await clock.advance(500);
  expect(made).toHaveLength(2);
});

test('after 4401 it comes back with a new token and never with the same', async () => {
  const tokens = ['a', 'b', 'b'];
  const { clock, made, newest, states } = await connect({ getToken: () => tokens.shift() ?? 'b' });
  newest().welcomes();
  newest().ends(4401);
  await clock.advance(500);
  expect(made.map(({ protocols }) => protocols[1])).toEqual(['bearer.a', 'bearer.b']);
  newest().welcomes();
  newest().ends(4401);
  await clock.advance(120_000);
  expect(made).toHaveLength(2);
  expect(states.at(-1)).toBe('closed');
});

test('after 4401 without a source of tokens it dials again, at most five times in a row', async () => {
  const { clock, made, newest, states } = await connect();
  for (let n = 0; n < 5; n += 1) {
    newest().welcomes();
    newest().ends(4401);
    while (made.length < n + 2) await clock.advance(500);
  }
  expect(made).toHaveLength(6);
  newest().welcomes();
  newest().ends(4401);
  expect(states.at(-1)).toBe('closed');
});

test('after 4401 without a source of tokens a connection that lasted counts anew', async () => {
  const { clock, made, newest, states } = await connect();
  for (let n = 0; n < 12; n += 1) {
    newest().welcomes();
    await clock.advance(10_000);
    newest().ends(4401);
    while (made.length < n + 2) await clock.advance(500);
  }
  expect(made).toHaveLength(13);
  expect(states.at(-1)).not.toBe('closed');
});

test('a token that cannot be had now is asked for again later', async () => {
  let asked = 0;
  const getToken = async () => {
    asked += 1;
    if (asked === 1) throw new Error('the token server is away');
    return 'late';
  };
  const { clock, made, newest } = await connect({ getToken });
  expect(made).toHaveLength(0);
  await clock.advance(500);
  expect(newest().protocols).toEqual(['crosspod.message.v1', 'bearer.late']);
});

test('a line on which nothing arrives for two heartbeats is given up', async () => {
  const { clock, made, newest, states } = await connect();
  newest().welcomes(10);
  await clock.advance(10_000);
  expect(newest().sent).toEqual([{ type: 'ping' }]);
  await clock.advance(9_999);
  expect(states.at(-1)).toBe('connected');
  await clock.advance(1);
  expect(states.at(-1)).toBe('reconnecting');
  expect(made[0]?.closedWith).toBe('no code');
});

test('a line on which pings are answered is kept', async () => {
  const { clock, made, newest, states } = await connect();
  newest().welcomes(10);
  for (let beat = 0; beat < 20; beat += 1) {
    await clock.advance(10_000);
    newest().says({ type: 'pong' });
  }
  expect(newest().sent).toHaveLength(20);
  expect(states.at(-1)).toBe('connected');
  expect(made).toHaveLength(1);
});

test('a server that accepts and never says connected is given up', async () => {
  const { clock, made } = await connect();
  await clock.advance(10_500);
  expect(made).toHaveLength(2);
  expect(made[0]?.closedWith).toBe('no code');
});

test('what a socket reports after it was given up changes nothing', async () => {
  const { clock, made, newest, states } = await connect();
  newest().welcomes(10);
  await clock.advance(20_500);
  newest().welcomes(10);
  made[0]?.ends(1000);
  made[0]?.says({ type: 'system', event: 'drain', data: { reconnect_after_ms: 9 } });
  expect(states).toEqual(['connecting', 'connected', 'reconnecting', 'connected']);
});

test('close is final: the socket closes with 1000 and no timer is left', async () => {
  const { client, clock, newest, states } = await connect();
  newest().welcomes();
  client.close();
  client.close();
  expect(newest().closedWith).toBe(1000);
  expect(clock.due).toEqual([]);
  expect(states).toEqual(['connecting', 'connected', 'closed']);
});

test('close while it waits for the next attempt is final too', async () => {
  const { client, clock, made, newest } = await connect();
  newest().ends();
  await settled();
  client.close();
  expect(clock.due).toEqual([]);
  await clock.advance(120_000);
  expect(made).toHaveLength(1);
});

test('frames that it does not understand are ignored', async () => {
  const { newest, states } = await connect();
  newest().welcomes();
  newest().says({ type: 'from-a-newer-server', room: 'r' });
  newest().says({ type: 'system', event: 'new' });
  newest().says([]);
  expect(states.at(-1)).toBe('connected');
});

test('it tells how the connection and each attempt ended, as far as anybody knows', async () => {
  let tokens = 1;
  const getToken = (): string => {
    if (tokens > 0) return `t${tokens--}`;
    throw new Error('the token server is away');
  };
  const { client, clock, newest, platform } = await connect({ getToken });
  const told: unknown[] = [];
  client.onState((state, how) => told.push([state, how?.code, how?.reason]));
  newest().welcomes(10);
  newest().ends(1013, 'too slow');
  await clock.advance(500);
  tokens = 1;
  await clock.advance(1_000);
  platform.answer = { status: 503, code: 'draining', error: 'draining', retryAfter: '1' };
  newest().ends();
  await settled();
  tokens = 1;
  await clock.advance(5_000);
  newest().welcomes(10);
  await clock.advance(20_000);
  expect(told).toEqual([
    ['connected', undefined, undefined],
    ['reconnecting', 1013, 'too slow'],
    ['reconnecting', 1006, 'no token: Error: the token server is away'],
    ['reconnecting', 1006, 'draining'],
    ['connected', undefined, undefined],
    ['reconnecting', 1006, 'nothing arrived from the server in time'],
  ]);
});

test('a listener that closes the client when it hears of a failure is obeyed', async () => {
  const { client, clock, made, newest } = await connect();
  client.onState(() => client.close());
  newest().ends();
  await clock.advance(60_000);
  expect(client.state).toBe('closed');
  expect(made).toHaveLength(1);
  expect(clock.due).toEqual([]);
});
