import { describe, expect, onTestFinished, test } from 'vitest';
import { type FakeBackend, type Fields, startBackend } from './fake-backend.ts';
import { open, part, refused, until } from '../support/client.ts';
import { type Pod, startPod } from '../support/pod.ts';

const ORIGIN = 'https://app.example';

/** A pod whose clients the backend names by their cookie, and the backend. */
async function world(
  answer: FakeBackend['answer'],
  env: Readonly<Record<string, string>> = {},
): Promise<{ pod: Pod; fake: FakeBackend }> {
  const fake = await startBackend((fields) =>
    fields['event'] === 'connect' ? { allow: true, user_id: userOf(fields) } : answer(fields),
  );
  const pod = await startPod({
    BACKEND_URL: fake.url,
    BACKEND_SECRET: 'backend-secret',
    BACKEND_EVENTS: 'connect,join,publish,leave,call',
    BACKEND_HEADERS: 'cookie',
    ALLOWED_ORIGINS: ORIGIN,
    ...env,
  });
  onTestFinished(async () => void (await pod.kill()));
  return { pod, fake };
}

function userOf({ connection }: Fields): string | null {
  const { headers } = connection as { headers: Record<string, string> };
  return /session=of-(\w+)/.exec(headers['cookie'] ?? '')?.[1] ?? null;
}

const as = (user: string) => ({ headers: { Cookie: `session=of-${user}`, Origin: ORIGIN } });

describe('A pod with a backend', () => {
  test('lets clients in by their cookie, in order, and tells of all leaves before it ends', async () => {
    const { pod, fake } = await world(({ event, method, data }) => ({
      allow: true,
      ...(event === 'call' ? { data: { [String(method)]: data } } : {}),
    }));
    const alice = await open(pod, '/ws/lobby', as('alice'));
    expect(part(await alice.next({ event: 'connected' }), 'data')).toMatchObject({ user_id: 'alice' });
    alice.send({ type: 'join', room: 'second', ref: '1' });
    alice.send({ type: 'call', method: 'echo', data: 7, ref: '2' });
    alice.send({ type: 'chat', room: 'second', data: 'hi', ref: '3' });
    await alice.next({ type: 'ack', ref: '3' });
    expect(await alice.next({ type: 'result', ref: '2' })).toMatchObject({ data: { echo: 7 } });
    expect(fake.asked.map(({ event, room }) => [event, room])).toEqual([
      ['connect', 'lobby'],
      ['join', 'lobby'],
      ['join', 'second'],
      ['call', undefined],
      ['publish', 'second'],
    ]);
    expect(await refused(pod, '/ws/lobby', { Origin: ORIGIN })).toMatchObject({ status: 401 });
    const explained = await fetch(`${pod.url}/ws/lobby?explain=1`, as('bob'));
    expect(await explained.json()).toMatchObject({ status: 'ok' });
    expect(explained.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(explained.headers.get('access-control-allow-credentials')).toBe('true');
    await pod.stop();
    const left = fake.asked.filter(({ event }) => event === 'leave').map(({ room }) => String(room));
    expect(left.toSorted()).toEqual(['lobby', 'second']);
    expect(pod.output()).not.toMatch(/of-alice|backend-secret/);
  });

  test('holds up nobody else while the backend is silent about one, and spares a backend that is gone', async () => {
    const { pod, fake } = await world(
      ({ event, room }) => (event === 'join' && room === 'silent' ? undefined : { allow: true }),
      { BACKEND_TIMEOUT_MS: '60000' },
    );
    const alice = await open(pod, '/ws', as('alice'));
    alice.send({ type: 'join', room: 'silent', ref: '1' });
    await until('the question', () => fake.asked.some(({ room }) => room === 'silent'));
    alice.send({ type: 'ping', ref: 'p' });
    await alice.next({ type: 'pong', ref: 'p' });
    const bob = await open(pod, '/ws/lobby', as('bob'));
    await bob.next({ event: 'joined' });
    fake.answer = () => (response) => void response.writeHead(503).end();
    for (let n = 0; n < 7; n += 1) bob.send({ type: 'call', method: 'm', ref: String(n) });
    for (let n = 0; n < 7; n += 1) {
      await bob.next({ type: 'error', ref: String(n), data: { code: 'unavailable' } });
    }
    expect(fake.asked.filter(({ event }) => event === 'call')).toHaveLength(5);
    const metrics = await (await fetch(`${pod.opsUrl}/metrics`)).text();
    expect(metrics).toContain('realtime_backend_requests{event="call",result="skipped"} 2');
    expect(metrics).toMatch(/realtime_backend_seconds_count \d+/);
  });
});
