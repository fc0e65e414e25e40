import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { askForRefusal } from '../../src/client/handshake-refusal.ts';
import type { CrosspodOptions, State } from '../../src/client/client.ts';
import { FakeClock, settled } from './fake-clock.ts';
import { type Answer, fakeClient } from './fake-platform.ts';

/** A client whose first handshake fails, and the server's answer to the question why. */
async function refusedWith(answer: Answer | 'never' | undefined, options: CrosspodOptions = {}) {
  const it = fakeClient(options);
  const states: [State, unknown][] = [];
  it.client.onState((state, closed) => states.push([state, closed]));
  it.platform.answer = answer;
  await settled();
  it.platform.newest.ends();
  await settled();
  return { ...it, states };
}

test('it asks the address that would not shake hands, with the same token, and only then', async () => {
  const { platform, clock } = await refusedWith(undefined, { getToken: () => 'secret' });
  expect(platform.asked).toEqual([['http://pod.test/ws?explain=1', 'Bearer secret']]);
  await clock.advance(500);
  platform.newest.welcomes();
  platform.newest.ends();
  await settled();
  expect(platform.asked).toHaveLength(1);
});

describe('When the server asks for patience', () => {
  test.each([
    [503, 'draining'],
    [503, 'server_at_capacity'],
    [429, 'rate_limited'],
    [503, undefined],
  ])('with %i %s it waits for so long, and for its own jitter', async (status, code) => {
    const { clock } = await refusedWith({ status, code, retryAfter: '7' } as Answer);
    expect(clock.due).toEqual([7_500]);
  });

  test.each(['Wed, 21 Oct 2026 07:28:00 GMT', '-5', 'x', ''])(
    'in a way that it does not know (%s) it backs off',
    async (retryAfter) => {
      const { clock } = await refusedWith({ status: 503, code: 'draining', retryAfter });
      expect(clock.due).toEqual([500]);
    },
  );

  test('for longer than a timer can wait, it waits as long as that can', async () => {
    const { clock } = await refusedWith({ status: 503, code: 'draining', retryAfter: '99999999' });
    expect(clock.due).toEqual([2 ** 31 - 1]);
  });

  test('better times do not make it come sooner', async () => {
    const { clock, platform, made } = await refusedWith({ status: 503, code: 'draining', retryAfter: '7' });
    platform.hints('better');
    await clock.advance(6_999);
    expect(made).toHaveLength(1);
    await clock.advance(1);
    expect(made).toHaveLength(2);
  });
});

describe('A refusal that no patience changes', () => {
  test('400 closes it for good, with the reason', async () => {
    const { states, made, clock, platform } = await refusedWith({
      status: 400,
      code: 'invalid_user_id',
      error: 'because',
    });
    expect(states).toEqual([['closed', { code: 400, reason: 'because' }]]);
    expect([clock.due, platform.watched, made.length]).toEqual([[], false, 1]);
  });

  describe.each([
    [401, 'token_expired'],
    [403, 'forbidden'],
  ])('%i %s', (status, code) => {
    const answer = { status, code, error: 'because' };

    test('asks for another token', async () => {
      const tokens = ['a', 'b'];
      const { clock, platform } = await refusedWith(answer, { getToken: () => tokens.shift() ?? 'b' });
      await clock.advance(500);
      expect(platform.newest.protocols[1]).toBe('bearer.b');
    });

    test('waits for a token that the source does not have yet', async () => {
      const tokens = ['a', 'a', 'a', 'b'];
      const { clock, platform, made } = await refusedWith(answer, { getToken: () => tokens.shift() ?? 'b' });
      await clock.advance(60_000);
      expect(made.map(({ protocols }) => protocols[1])).toContain('bearer.b');
      expect(made.filter(({ protocols }) => protocols[1] === 'bearer.a')).toHaveLength(1);
      platform.newest.ends(1000);
    });

    test('without another token closes it for good', async () => {
      const { clock, made, states } = await refusedWith(answer, { getToken: () => 'a' });
      await clock.advance(120_000);
      expect(made).toHaveLength(1);
      expect(states.at(-1)).toEqual(['closed', { code: 4401, reason: 'because' }]);
      expect(clock.due).toEqual([]);
    });

    const redials = status === 401 ? 5 : 0;
    test(`without a source of tokens it is dialed again ${redials} times`, async () => {
      const { clock, made, states } = await refusedWith(answer);
      for (let n = 1; n <= redials; n += 1) {
        while (made.length < n + 1) await clock.advance(500);
        made.at(-1)?.ends(1006);
        await clock.advance(0);
      }
      expect(made).toHaveLength(redials + 1);
      expect(states.at(-1)).toEqual(['closed', { code: 4401, reason: 'because' }]);
    });
  });

  test('401 with a wait is for a token that is not valid yet: the same one is tried then', async () => {
    const answer = { status: 401, code: 'invalid_token', error: 'invalid token', retryAfter: '20' };
    const { client, clock, made, platform } = await refusedWith(answer, { getToken: () => 'cached' });
    expect(clock.due).toEqual([20_500]);
    await clock.advance(20_500);
    expect(made).toHaveLength(2);
    platform.newest.welcomes();
    expect(client.state).toBe('connected');
    client.close();
  });

  test('a user who is blocked is told, and the client stays away, also with a source of tokens', async () => {
    const { client, clock, states } = await refusedWith(
      { status: 403, code: 'blocked', error: 'the user is blocked: spam' },
      { getToken: () => 'a' },
    );
    expect(states).toEqual([['closed', { code: 4403, reason: 'the user is blocked: spam' }]]);
    expect(client.state).toBe('closed');
    expect(clock.due).toEqual([]);
  });

  test('an origin that may not connect is told, and may be allowed later', async () => {
    const { client, states } = await refusedWith({
      status: 403,
      code: 'origin_not_allowed',
      error: 'origin not allowed',
    });
    expect(states).toEqual([['connecting', { code: 1006, reason: 'origin not allowed' }]]);
    expect(client.state).toBe('connecting');
  });
});

test.each([400, 401, 403, 404, 502])(
  'what a proxy answers (%i, without a code) is no reason to stay away',
  async (status) => {
    const { client, clock } = await refusedWith({ status });
    expect(client.state).toBe('connecting');
    expect(clock.due).toEqual([500]);
  },
);

test.each([undefined, { status: 200 }])('nobody answers, or nothing is wrong: %j', async (answer) => {
  const { clock, platform } = await refusedWith(answer);
  expect(clock.due).toEqual([500]);
  await clock.advance(500);
  platform.newest.ends();
  await settled();
  expect(clock.due).toEqual([1_000]);
});

test('an answer that does not come is not waited for longer than five seconds', async () => {
  const { clock, made } = await refusedWith('never');
  expect(clock.due).toEqual([5_000]);
  await clock.advance(5_000);
  expect(clock.due).toEqual([500]);
  await clock.advance(500);
  expect(made).toHaveLength(2);
});

test('whoever closes the client while it asks is obeyed', async () => {
  const { client, clock, made, platform } = await refusedWith('never');
  client.close();
  await settled();
  expect(platform.aborted).toBe(1);
  await settled();
  expect(clock.due).toEqual([]);
  await clock.advance(60_000);
  expect(made).toHaveLength(1);
});

test('what can never be sent closes it with the reason', async () => {
  function Never(): never {
    throw new SyntaxError('the words of a browser, with the token in them');
  }
  const { client } = fakeClient({ platform: { WebSocket: Never as never } });
  const closed = new Promise((resolve) => client.onState((_, why) => resolve(why)));
  expect(await closed).toEqual({ code: 1006, reason: 'no WebSocket: SyntaxError' });
  expect(client.state).toBe('closed');
});

test('a page of another origin sends its cookies with the question, and without them if it may not', async () => {
  vi.stubGlobal('location', { origin: 'https://page.test' });
  onTestFinished(() => void vi.unstubAllGlobals());
  const asked: (string | undefined)[] = [];
  const refusal = await askForRefusal(
    'ws://pod.test/ws',
    undefined,
    {
      clock: new FakeClock(),
      fetch: (_, { credentials }) => {
        asked.push(credentials);
        if (credentials !== undefined) return Promise.reject(new TypeError('not allowed'));
        const json = () => Promise.resolve({ code: 'forbidden', error: 'no' });
        return Promise.resolve({ status: 403, headers: new Headers(), json });
      },
    },
    new AbortController().signal,
  );
  expect(asked).toEqual(['include', undefined]);
  expect(refusal).toMatchObject({ status: 403, code: 'forbidden' });
});
