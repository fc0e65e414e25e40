import { expect, test } from 'vitest';
import { Crosspod, type TokenSource } from '../../src/client/client.ts';
import { Renewal } from '../../src/client/renewal.ts';
import { FakeClock, settled } from './fake-clock.ts';
import { FakePlatform } from './fake-platform.ts';
import type { FakeSocket } from './fake-socket.ts';

const HOUR = 3_600_000;
/** A heartbeat that never comes in the way. */
const QUIET_SECONDS = 1_000_000;

/** A client that is connected by the first token of the source. */
async function connect(source: (clock: FakeClock) => TokenSource) {
  const platform = new FakePlatform();
  const { clock, made } = platform;
  const client = new Crosspod('ws://pod.test/ws', { platform, getToken: source(clock) });
  await settled();
  const socket = platform.newest;
  socket.welcomes(QUIET_SECONDS);
  return { client, clock, made, socket };
}

/** The server takes the token that was brought. */
function takes(socket: FakeSocket): void {
  socket.says({ type: 'system', event: 'authenticated', ref: 'auth', data: { expires_at: '' } });
}

/** What brings a token to the server. */
function auth(token: string): object {
  return { type: 'auth', data: { token }, ref: 'auth' };
}

/** Tokens of an hour, named by when they were given. */
const hourly =
  (clock: FakeClock): TokenSource =>
  () => ({ token: `at-${clock.now()}`, expiresAt: clock.now() + HOUR });

test('a new token is brought half a minute before the old one ends, again and again', async () => {
  const { clock, made, socket } = await connect(hourly);
  await clock.advance(HOUR - 30_001);
  expect(socket.sent).toEqual([]);
  await clock.advance(1);
  expect(socket.sent).toEqual([auth('at-3570000')]);
  takes(socket);
  await clock.advance(HOUR);
  expect(socket.sent).toHaveLength(2);
  expect(made).toHaveLength(1);
});

test('after a reconnect it counts from the token of the new connection', async () => {
  const { clock, made, socket } = await connect(hourly);
  await clock.advance(HOUR / 2);
  socket.ends();
  await clock.advance(500);
  made[1]?.welcomes(QUIET_SECONDS);
  await clock.advance(HOUR - 30_001);
  expect(made[1]?.sent).toEqual([]);
  await clock.advance(1);
  expect(made[1]?.sent).toHaveLength(1);
  expect(socket.sent).toEqual([]);
});

test('a new token that is not there yet is asked for again, and brought when it is', async () => {
  const tokens = ['a', 'a', 'a', 'b'];
  const { clock, socket } = await connect(() => () => ({ token: tokens.shift() ?? 'c', expiresAt: HOUR }));
  await clock.advance(HOUR - 30_000 + 9_999);
  expect(socket.sent).toEqual([]);
  await clock.advance(1);
  expect(socket.sent).toEqual([auth('b')]);
});

test.each(['unavailable', 'rate_limited', 'internal'])(
  'a token that the server cannot take now (%s) is brought again, and is no reason to end',
  async (code) => {
    const { client, clock, made, socket } = await connect((clock) => () => ({
      token: clock.now() === 0 ? 'a' : 'b',
      expiresAt: HOUR,
    }));
    await clock.advance(HOUR - 30_000);
    socket.says({ type: 'error', ref: 'auth', data: { code, error: code } });
    await clock.advance(5_000);
    expect(socket.sent).toEqual([auth('b'), auth('b')]);
    socket.ends(4401);
    await clock.advance(500);
    expect(made[1]?.protocols[1]).toBe('bearer.b');
    expect(client.state).toBe('reconnecting');
  },
);

test('a token that the server refuses for good is an error of the client', async () => {
  const { client, clock, socket } = await connect(hourly);
  const errors: string[] = [];
  client.onError(({ code }) => errors.push(code));
  await clock.advance(HOUR - 30_000);
  socket.says({ type: 'error', ref: 'auth', data: { code: 'forbidden', error: 'another user' } });
  expect(errors).toEqual(['forbidden']);
});

test.each([null, undefined, 42, {}, { token: 7 }, '', 'a b', 'a\n', '<html>502</html>', { token: 'ä' }])(
  'what is no token (%j) is asked for again later, and shown to nobody',
  async (given) => {
    let asked = 0;
    const { client, clock, socket } = await connect(() => () => {
      asked += 1;
      return asked === 2 ? (given as never) : 'good';
    });
    const reasons: unknown[] = [];
    client.onState((_, ended) => reasons.push(ended?.reason));
    socket.ends();
    await clock.advance(500);
    expect(client.state).toBe('reconnecting');
    expect(reasons).toEqual(['', 'no token: Error: getToken returned no token']);
    await clock.advance(1_000);
    expect(asked).toBe(3);
  },
);

test.each([Number.NaN, Number.POSITIVE_INFINITY, '2026-11-22T10:00:00Z'])(
  'an end that is no moment (%s) is no end',
  async (expiresAt) => {
    let asked = 0;
    const { client, clock } = await connect(() => () => {
      asked += 1;
      return { token: `${asked}`, expiresAt: expiresAt as number };
    });
    await clock.advance(HOUR);
    expect([asked, client.state]).toEqual([1, 'connected']);
  },
);

test('when there is none until the old one ends, 4401 leads to one', async () => {
  const asked: number[] = [];
  const { clock, made, socket } = await connect((clock) => () => {
    asked.push(clock.now());
    return { token: clock.now() < HOUR ? 'a' : 'b', expiresAt: HOUR };
  });
  await clock.advance(HOUR + 60_000);
  expect(asked.map((at) => at - HOUR)).toEqual([-HOUR, -30_000, -25_000, -20_000, -15_000, -10_000, -5_000]);
  expect(socket.sent).toEqual([]);
  socket.ends(4401);
  await clock.advance(500);
  expect(made[1]?.protocols).toEqual(['crosspod.message.v1', 'bearer.b']);
});

test('a source that fails leaves the connection as it is', async () => {
  let asked = 0;
  const { client, clock, socket } = await connect(() => async () => {
    asked += 1;
    if (asked > 1) throw new Error('the token server is away');
    return { token: 'a', expiresAt: HOUR };
  });
  await clock.advance(2 * HOUR);
  expect(asked).toBe(7);
  expect(socket.sent).toEqual([]);
  expect(client.state).toBe('connected');
});

test('a source that never answers is asked again', async () => {
  let asked = 0;
  const { clock, client, socket } = await connect(() => () => {
    asked += 1;
    return asked === 2 || asked === 3 ? new Promise<never>(() => {}) : `${asked}`;
  });
  socket.ends();
  await clock.advance(500 + 30_000);
  expect([asked, client.state]).toEqual([2, 'reconnecting']);
  await clock.advance(1_000 + 30_000 + 2_000);
  expect(asked).toBe(4);
});

test('of a JWT it reads when it ends by itself', async () => {
  const jwt = (ends: number): string =>
    `e30.${btoa(JSON.stringify({ name: 'Zoë÷ÿ?~', exp: ends }))
      .replaceAll('+', '-')
      .replaceAll('/', '_')
      .replaceAll('=', '')}.x`;
  const { clock, socket } = await connect((clock) => () => jwt(clock.now() / 1_000 + 3_600));
  await clock.advance(HOUR - 30_001);
  expect(socket.sent).toEqual([]);
  await clock.advance(1);
  expect(socket.sent).toEqual([auth(jwt(2 * 3_600 - 30))]);
});

test.each(['opaque', 'a.b.c', 'e30.e30.x', '..', `e30.${btoa('{"exp":"soon"}').replaceAll('=', '')}.x`])(
  'a token of which nobody knows when it ends is kept until the server says so: %s',
  async (token) => {
    const { client, clock } = await connect(() => () => token);
    await clock.advance(HOUR);
    expect(client.state).toBe('connected');
    expect(clock.due).toHaveLength(1);
  },
);

test('a token that comes after the connection is lost is not sent on the next one', async () => {
  const late = Promise.withResolvers<{ token: string }>();
  let asked = 0;
  const { clock, made, socket } = await connect(() => () => {
    asked += 1;
    return asked === 2 ? late.promise : { token: `${asked}`, expiresAt: HOUR };
  });
  await clock.advance(HOUR - 30_000);
  socket.ends();
  await clock.advance(500);
  made[1]?.welcomes(QUIET_SECONDS);
  late.resolve({ token: 'late' });
  await settled();
  expect(socket.sent).toEqual([]);
  expect(made[1]?.sent).toEqual([]);
});

test.each([
  ['has ended by this clock', -HOUR],
  ['is about to end', 30_000],
])('a token that %s is not renewed in a loop', async (_, lifetime) => {
  let asked = 0;
  const { clock } = await connect(() => () => {
    asked += 1;
    return { token: `${asked}`, expiresAt: lifetime };
  });
  await clock.advance(HOUR);
  expect(asked).toBe(1);
});

test('the end of a token may be further away than a timer of the platform can wait', async () => {
  const clock = new FakeClock();
  const year = 365 * 24 * HOUR;
  const rings: number[] = [];
  const renewal = new Renewal(clock, () => rings.push(clock.now()));
  renewal.plan(year);
  for (let month = 0; month < 12; month += 1) {
    expect(clock.due).toHaveLength(1);
    expect(clock.due[0]).toBeLessThan(2 ** 31);
    await clock.advance(year / 12);
  }
  expect(rings).toEqual([year - 30_000]);
});

test('close leaves no timer behind', async () => {
  const { client, clock } = await connect(hourly);
  client.close();
  expect(clock.due).toEqual([]);
});

test('a new token that is not valid yet is brought again, and nobody is told of an error', async () => {
  const { client, clock, socket } = await connect((clock) => () => ({
    token: clock.now() < HOUR / 2 ? 'a' : 'b',
    expiresAt: HOUR,
  }));
  const errors: unknown[] = [];
  client.onError((error) => errors.push(error));
  await clock.advance(HOUR - 30_000);
  expect(socket.sent).toEqual([auth('b')]);
  const data = { code: 'invalid_token', error: 'the token is not valid', retry_after_ms: 3_000 };
  socket.says({ type: 'error', ref: 'auth', data });
  await clock.advance(5_000);
  expect(socket.sent).toEqual([auth('b'), auth('b')]);
  expect(errors).toEqual([]);
});
