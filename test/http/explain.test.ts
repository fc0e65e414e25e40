import { onTestFinished, describe, expect, test } from 'vitest';
import { open, refused, until } from '../support/client.ts';
import { type Pod, startPod } from '../support/pod.ts';
import { bearer, inSeconds, SECRET, token } from '../support/tokens.ts';

async function podWith(env: Readonly<Record<string, string>> = {}): Promise<Pod> {
  const pod = await startPod(env);
  onTestFinished(async () => void (await pod.stop()));
  return pod;
}

/** What a plain request is told, with `explain=1` in its address. */
async function why({ url }: Pod, address: string, headers: Record<string, string> = {}) {
  const asked = new URL(address, url);
  asked.searchParams.set('explain', '1');
  const answer = await fetch(asked, { headers });
  const body = (await answer.json()) as { error: string; code: string };
  return { status: answer.status, headers: answer.headers, body };
}

describe('?explain=1 answers what an upgrade at that address would be answered', () => {
  test.each(['/ws', '/ws/room', '/ws/stats', '/ws/stats/', '/ws?room=r&user_id=ann', '/api/chat-api/ws'])(
    'at %s: the upgrade would succeed',
    async (address) => {
      const { status, body } = await why(await podWith(), address);
      expect([status, body]).toEqual([200, { status: 'ok', max_message_bytes: 65_536 }]);
    },
  );

  test.each(['/ws/-room', '/ws?room=@x', '/ws?user_id=system', '/ws?dialect=other', '/ws?room=r&history=x'])(
    'at %s: the upgrade can never succeed',
    async (address) => {
      const pod = await podWith();
      const { status, body } = await why(pod, address);
      expect({ status, body }).toMatchObject(
        await refused(pod, address).then(({ status, body }) => ({ status, body })),
      );
      expect(status).toBe(400);
    },
  );

  test('for a token in a header or in the address', async () => {
    const pod = await podWith({ JWT_SECRET: SECRET });
    const ended = await token({ sub: 'ann', exp: inSeconds(-10) });
    const good = await token({ sub: 'ann', permissions: ['join:mine'] });
    const none = await why(pod, '/ws');
    expect([none.status, none.body.code]).toEqual([401, 'missing_token']);
    expect(none.headers.get('WWW-Authenticate')).toBe('Bearer');
    for (const answer of [await why(pod, '/ws', bearer(ended)), await why(pod, `/ws?token=${ended}`)]) {
      expect([answer.status, answer.body.code]).toEqual([401, 'token_expired']);
    }
    expect((await why(pod, '/ws', bearer('x.y.z'))).body.code).toBe('invalid_token');
    expect((await why(pod, '/ws', bearer(good))).status).toBe(200);
    expect((await why(pod, '/ws/mine', bearer(good))).status).toBe(200);
    expect((await why(pod, '/ws/other', bearer(good))).body.code).toBe('forbidden');
  });

  test('while the pod is full', async () => {
    const pod = await podWith({ MAX_CONNECTIONS: '1' });
    const client = await open(pod, '/ws');
    const { status, headers, body } = await why(pod, '/ws');
    expect([status, body.code]).toEqual([503, 'server_at_capacity']);
    expect(headers.get('Retry-After')).toMatch(/^[1-9]\d*$/);
    await client.close();
    await until('a free place', async () => (await why(pod, '/ws')).status === 200);
  });

  test('when there are too many handshakes, of which it uses none', async () => {
    const pod = await podWith({ HANDSHAKES_PER_SECOND: '1' });
    expect((await why(pod, '/ws')).status).toBe(200);
    const asked = await why(pod, '/ws');
    expect([asked.status, asked.body.code]).toEqual([429, 'rate_limited']);
    expect(asked.headers.get('Retry-After')).toBe('1');
    await open(pod, '/ws');
  });
});

test('pages of any origin may read the answer, and send their token with the question', async () => {
  const pod = await podWith({ ALLOWED_ORIGINS: 'https://app.example', MAX_CONNECTIONS: '1' });
  await open(pod, '/ws');
  for (const [Origin, status, code] of [
    ['https://app.example', 503, 'server_at_capacity'],
    ['https://evil.example', 403, 'origin_not_allowed'],
  ] as const) {
    const answer = await why(pod, '/ws', { Origin });
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(answer.headers.get('Access-Control-Allow-Origin')).toBe('*');
    expect(answer.headers.get('Access-Control-Expose-Headers')).toContain('Retry-After');
  }
  const preflight = await fetch(`${pod.url}/ws?explain=1`, {
    method: 'OPTIONS',
    headers: {
      Origin: 'https://evil.example',
      'Access-Control-Request-Method': 'GET',
      'Access-Control-Request-Headers': 'authorization',
    },
  });
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get('Access-Control-Allow-Headers')).toMatch(/authorization/i);
});

test('without ?explain=1 the answer is only that this is no upgrade', async () => {
  const pod = await podWith({ MAX_CONNECTIONS: '1', JWT_SECRET: SECRET });
  for (const address of ['/ws', '/ws?explain=0', '/ws/-room']) {
    expect((await fetch(`${pod.url}${address}`)).status).toBe(426);
  }
  expect((await fetch(`${pod.url}/ws?explain=1`, { method: 'POST' })).status).toBe(426);
});
