import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { type Client, type Frame, open, part, type Refusal, refused, until } from '../support/client.ts';
import { type Pod, startPod } from '../support/pod.ts';
import { SECRET, signedIn, token } from '../support/tokens.ts';
import { fresh, guest, join, settled, settledChannel } from './people.ts';

const pods: Pod[] = [];
afterAll(() => Promise.all(pods.map((pod) => pod.stop())));

async function podWith(env: Record<string, string>): Promise<Pod> {
  const pod = await startPod(env);
  pods.push(pod);
  return pod;
}

/** The value of a row of the metrics; 0 where there is none. */
async function metric(pod: Pod, row: string): Promise<number> {
  const text = await (await fetch(`${pod.opsUrl}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`${row} `));
  return Number(line?.slice(row.length) ?? 0);
}

const connected = (pod: Pod, address: string, headers: Record<string, string> = {}): Promise<boolean> =>
  open(pod, address, { headers }).then(
    () => true,
    () => false,
  );

/** It was refused in JSON, says when to come back, and is counted under its code. */
async function expectRefused(pod: Pod, refusal: Refusal, status: number): Promise<void> {
  expect(refusal.status).toBe(status);
  expect(refusal.headers['content-type']).toMatch(/^application\/json/);
  expect(refusal.headers['retry-after']).toMatch(/^[1-9]\d*$/);
  expect(refusal.body).toEqual({
    error: expect.stringMatching(/./),
    code: expect.stringMatching(/^[a-z_]+$/),
  });
  const row = `realtime_upgrades_refused{reason="${String(refusal.body['code'])}"}`;
  expect(await metric(pod, row)).toBeGreaterThan(0);
}

/** A granted upgrade is gone at once. */
async function tried(pod: Pod, address: string): Promise<Refusal | undefined> {
  return refused(pod, address).catch(() => undefined);
}

describe('HANDSHAKES_PER_SECOND', () => {
  test('lets as many in at once, refuses the others with 429, and lets in again after a while', async () => {
    const pod = await podWith({ HANDSHAKES_PER_SECOND: '5' });
    const answers = await Promise.all(Array.from({ length: 50 }, () => tried(pod, '/ws')));
    const refusals = answers.filter((answer) => answer !== undefined);
    expect(answers.length - refusals.length).toBeGreaterThanOrEqual(5);
    const [refusal] = refusals;
    if (refusal === undefined) throw new Error('nobody was refused');
    await expectRefused(pod, refusal, 429);
    for (const { status } of refusals) expect(status).toBe(429);
    await until('another handshake', () => connected(pod, '/ws'));
  });

  test('counts those without a token as well, so that nobody can guess at leisure', async () => {
    const pod = await podWith({ HANDSHAKES_PER_SECOND: '5', JWT_SECRET: SECRET });
    const answers = await Promise.all(Array.from({ length: 50 }, () => refused(pod, '/ws?token=guess')));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 401).length).toBeGreaterThanOrEqual(5);
    expect(statuses).toContain(429);
  });

  test('leaves the connections alone that are there', async () => {
    const pod = await podWith({ HANDSHAKES_PER_SECOND: '1' });
    const client = await guest(pod);
    const answers = await Promise.all(Array.from({ length: 30 }, () => tried(pod, '/ws')));
    expect(answers.some((answer) => answer?.status === 429)).toBe(true);
    await settled(client);
  });
});

describe('MAX_CONNECTIONS_PER_USER', () => {
  const shared = podWith({ MAX_CONNECTIONS_PER_USER: '2' });

  test('refuses the third of a user with 429 and takes one again when one has gone', async () => {
    const pod = await shared;
    const user = fresh('alice');
    const first = await guest(pod, user);
    const second = await open(pod, `/ws/${fresh()}?user_id=${user}`);
    await expectRefused(pod, await refused(pod, `/ws?user_id=${user}`), 429);
    await expectRefused(pod, await refused(pod, `/ws/room?user_id=${user}`), 429);
    await settled(first);
    await settled(second);
    await second.close(1000);
    await until('a free place', () => connected(pod, `/ws?user_id=${user}`));
    await settled(first);
    await first.terminate();
    await until('another free place', () => connected(pod, `/ws?user_id=${user}`));
  });

  test('does not concern other users, nor those who are nobody', async () => {
    const pod = await shared;
    const [alice, bob] = [fresh('alice'), fresh('bob')];
    await guest(pod, alice);
    await guest(pod, alice);
    await settled(await guest(pod, bob));
    for (let n = 0; n < 5; n += 1) await settled(await guest(pod));
  });

  test('holds when many come at once', async () => {
    const pod = await shared;
    const user = fresh('alice');
    const opened = await Promise.all(Array.from({ length: 20 }, () => connected(pod, `/ws?user_id=${user}`)));
    expect(opened.filter(Boolean)).toHaveLength(2);
  });

  test('counts by the user of the token, also when many come at once', async () => {
    const pod = await podWith({ MAX_CONNECTIONS_PER_USER: '2', JWT_SECRET: SECRET });
    const headers = await signedIn({ sub: 'alice' });
    const opened = await Promise.all(
      Array.from({ length: 20 }, (_, n) => connected(pod, `/ws?user_id=user-${n}`, headers)),
    );
    expect(opened.filter(Boolean)).toHaveLength(2);
    await expectRefused(pod, await refused(pod, '/ws', headers), 429);
    expect(await connected(pod, '/ws', await signedIn({ sub: 'bob' }))).toBe(true);
  });

  test('is not reached by refusals', async () => {
    const pod = await shared;
    const user = fresh('alice');
    for (let n = 0; n < 5; n += 1) await refused(pod, `/ws/-?user_id=${user}`);
    expect(await connected(pod, `/ws?user_id=${user}`)).toBe(true);
  });
});

describe('MAX_CONNECTIONS', () => {
  test('refuses with 503 whoever comes when the pod is full, also when many come at once', async () => {
    const pod = await podWith({ MAX_CONNECTIONS: '3', JWT_SECRET: SECRET });
    const headers = await signedIn({ sub: 'alice' });
    const opened = await Promise.all(Array.from({ length: 20 }, () => connected(pod, '/ws', headers)));
    expect(opened.filter(Boolean)).toHaveLength(3);
    const refusal = await refused(pod, '/ws', headers);
    await expectRefused(pod, refusal, 503);
    expect(refusal.body['error']).toBe('server at capacity');
  });
});

/** Sends numbered messages with refs at one go; the numbers of those that were taken, and the errors by number. */
async function burst(
  client: Client,
  room: string,
  count: number,
): Promise<{ taken: number[]; errors: Map<number, Frame> }> {
  const run = fresh('run');
  const isChannel = client.ws.protocol === 'crosspod.channel.v1';
  for (let n = 0; n < count; n += 1) {
    const where = isChannel ? { type: 'broadcast', channel: room, payload: { n } } : { room, data: { n } };
    client.send({ ...where, ref: `${run}.${n}` });
  }
  const taken: number[] = [];
  const errors = new Map<number, Frame>();
  for (let n = 0; n < count; n += 1) {
    const answer = await client.next({ ref: `${run}.${n}` });
    if (answer['type'] === 'ack') taken.push(n);
    else errors.set(n, answer);
  }
  return { taken, errors };
}

describe('MESSAGES_PER_SECOND', () => {
  const shared = podWith({ MESSAGES_PER_SECOND: '5' });

  test('takes twice as many at once and refuses the next, with the time to wait and the ref', async () => {
    const pod = await shared;
    const { taken, errors } = await burst(await guest(pod), fresh(), 60);
    expect(taken.slice(0, 10)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(errors.size).toBeGreaterThan(0);
    for (const error of errors.values()) {
      expect(error).toMatchObject({
        type: 'error',
        data: {
          code: 'rate_limited',
          error: expect.stringMatching(/./),
          retry_after_ms: expect.any(Number),
        },
      });
      const { retry_after_ms: wait } = part(error, 'data');
      expect(Number.isInteger(wait) && Number(wait) > 0).toBe(true);
    }
  });

  test('tells clients of the channel dialect the same', async () => {
    const pod = await shared;
    const channel = fresh();
    const client = await open(pod, '/ws', { protocols: ['crosspod.channel.v1'] });
    const { taken, errors } = await burst(client, channel, 60);
    expect(taken.length).toBeGreaterThanOrEqual(10);
    expect(errors.size).toBeGreaterThan(0);
    for (const error of errors.values()) {
      expect(error).toMatchObject({
        type: 'error',
        channel,
        code: 'rate_limited',
        error: expect.stringMatching(/./),
        retry_after_ms: expect.any(Number),
      });
    }
  });

  test('delivers what was not refused in the order in which it was sent, and nothing else', async () => {
    const pod = await shared;
    const room = fresh();
    const listener = await guest(pod);
    await join(listener, room);
    const { taken, errors } = await burst(await guest(pod), room, 60);
    expect(errors.size).toBeGreaterThan(0);
    const last = taken.at(-1);
    await listener.next({ type: 'chat', data: { n: last } });
    expect(listener.all({ type: 'chat', room }).map(({ data }) => (data as { n: number }).n)).toEqual(taken);
  });

  test('takes a refused message later, with the same ref', async () => {
    const pod = await shared;
    const room = fresh();
    const client = await guest(pod);
    const { errors } = await burst(client, room, 60);
    const [refusedOne] = errors.values();
    const ref = refusedOne?.['ref'];
    await until('the message to be taken', async () => {
      client.send({ room, data: 'again', ref });
      return (await client.next({ ref }))['type'] === 'ack';
    });
  });

  test('counts every kind of command, and each connection for itself', async () => {
    const pod = await shared;
    const client = await guest(pod, 'alice');
    const other = await guest(pod, 'alice');
    for (let n = 0; n < 60; n += 1) client.send({ type: 'ping', ref: `p${n}` });
    await client.next({ type: 'error', data: { code: 'rate_limited' } });
    await settled(other);
  });

  test('counts frames that cannot be understood as well', async () => {
    const pod = await shared;
    const client = await guest(pod);
    for (let n = 0; n < 60; n += 1) client.send(n % 5 === 0 ? { type: 'ping' } : 'nonsense');
    await client.next({ type: 'error', data: { code: 'invalid_json' } });
    await client.next({ type: 'error', data: { code: 'rate_limited' } });
  });

  test('tells an old client of the channel dialect nothing that it did not ask for', async () => {
    const pod = await shared;
    const channel = fresh();
    const old = await open(pod, '/ws');
    for (let n = 0; n < 60; n += 1) old.send({ type: 'broadcast', channel, payload: n });
    old.send({ type: 'broadcast', channel, payload: 'last', ref: 'last' });
    const answer = await old.next({ ref: 'last' });
    expect(old.frames).toEqual([answer]);
  });

  test('does not close a connection that only sent too much once', async () => {
    const pod = await shared;
    const client = await guest(pod);
    await burst(client, fresh(), 60);
    await until('an answer', async () => {
      const ref = fresh('ping');
      client.send({ type: 'ping', ref });
      return (await client.next({ ref }))['type'] === 'pong';
    });
    expect(await metric(pod, 'realtime_closes{code="4429"}')).toBe(0);
  });

  test('is off at 0', async () => {
    const pod = await podWith({ MESSAGES_PER_SECOND: '0' });
    expect((await burst(await guest(pod), fresh(), 1_000)).errors.size).toBe(0);
    const channel = await open(pod, '/ws', { protocols: ['crosspod.channel.v1'] });
    expect((await burst(channel, fresh(), 1_000)).errors.size).toBe(0);
    await settledChannel(channel);
  });

  test('is 50 unless it is set, and 100 at once', async () => {
    const pod = await podWith({ MESSAGES_PER_SECOND: '' });
    const { taken, errors } = await burst(await guest(pod), fresh(), 500);
    expect(taken.length).toBeGreaterThanOrEqual(100);
    expect(errors.size).toBeGreaterThan(0);
  });
});

test('A connection that is refused messages in each of ten seconds in a row is closed with 4429', async () => {
  const pod = await podWith({ MESSAGES_PER_SECOND: '2', JWT_SECRET: SECRET });
  const address = `/ws?dialect=message&token=${await token({ sub: 'alice' })}`;
  const [abuser, patient] = [await open(pod, address), await open(pod, address)];
  const sending = setInterval(() => {
    for (let n = 0; n < 5; n += 1) abuser.send({ type: 'ping' });
  }, 50);
  onTestFinished(() => clearInterval(sending));
  expect((await abuser.closed).code).toBe(4429);
  expect(abuser.all({ type: 'error', data: { code: 'rate_limited' } }).length).toBeGreaterThanOrEqual(9);
  await settled(patient);
  expect(await metric(pod, 'realtime_closes{code="4429"}')).toBe(1);
  await settled(await open(pod, address));
});
