import { allHeard, saidBy } from '../../faults/judge.ts';
import { envOf, operatedNats } from './operator.ts';
import { eventually, get, podOn, podsOn, post, ready, SLOW } from '../../faults/world.ts';
import { expect, test } from 'vitest';
import { readFileSync, writeFileSync } from 'node:fs';
import { type Frame, open } from '../../support/client.ts';
import { join } from 'node:path';
import { metric } from '../../many-pods/world.ts';
import { natsOf } from './world.ts';
import type { PodProcess } from '../../support/stack/pods.ts';
import { Witness } from '../../faults/witness.ts';

const LARGE = 'x'.repeat(12_000);
/** As many bytes in few enough characters for `meta`. */
const WIDE = '人'.repeat(4_000);
/** JetStream stores it, but its answer to a read is larger than NATS takes. */
const FITTING = 'x'.repeat(7_500);

function errorsIn(pod: PodProcess): string[] {
  return pod
    .output()
    .split('\n')
    .filter((line) => line.includes('"level":50'));
}

test(
  'A message, meta or note larger than NATS takes is rejected, and delivered to no client',
  SLOW,
  async () => {
    const nats = await natsOf({ config: ['max_payload: 8192'] });
    const [here, there] = await podsOn(nats);
    await ready(here, there);
    const alice = await Witness.join(here, 'room', 'alice');
    const bob = await Witness.join(there, 'room', 'bob');
    const neighbour = await Witness.join(here, 'room', 'neighbour');
    const ways: Frame[] = [
      { type: 'chat', room: 'room', data: LARGE },
      { type: 'chat', room: 'room', data: LARGE, ephemeral: true },
      { type: 'chat', to: 'neighbour', data: LARGE },
      { type: 'presence', room: 'room', data: { status: 'away', meta: { text: WIDE } } },
    ];
    const everybody = await open(here, '/ws?dialect=message&user_id=carol');
    for (const [n, frame] of [...ways, { type: 'chat', data: LARGE }].entries()) {
      const speaker = 'room' in frame || 'to' in frame ? alice.client : everybody;
      speaker.send({ ...frame, ref: `large-${n}` });
      const answer = await speaker.next({ type: 'error', ref: `large-${n}` });
      expect(answer['data']).toEqual({
        code: 'too_large',
        error: expect.stringMatching(/^the message has 1[23]\d{3} bytes .+; at most 8064 can be sent$/),
      });
    }
    for (const path of ['/api/rooms/room/messages', '/api/broadcast', '/api/users/bob/messages'])
      expect(await post(here, path, { data: LARGE })).toMatchObject({
        status: 413,
        body: { code: 'too_large' },
      });
    alice.client.send({ type: 'chat', room: 'room', ref: 'fits', data: FITTING });
    await alice.client.next({ type: 'ack', ref: 'fits' });
    for (const one of [alice, bob]) one.say();
    await allHeard([alice, bob, neighbour], saidBy([alice, bob]));
    for (const { frames, client } of [alice, bob, neighbour]) {
      expect(frames.filter(({ data }) => data === FITTING)).toHaveLength(1);
      expect(JSON.stringify(client.frames)).not.toMatch(/x{9000}|人/);
    }
    const late = await open(there, '/ws/room?history=10&user_id=late');
    await late.next({ data: FITTING });
    for (const pod of [here, there]) {
      expect(errorsIn(pod)).toEqual([]);
      expect(await metric(pod, 'realtime_nats_losses')).toBe(0);
      expect(pod.output().match(/NATS takes smaller messages than clients may send/g)).toHaveLength(1);
    }
  },
);

test('An account may have a lower limit than its server', SLOW, async () => {
  const nats = await operatedNats();
  const pod = await podOn({ env: envOf(nats, nats.narrow.user()) });
  await ready(pod);
  expect(await post(pod, '/api/rooms/room/messages', { data: LARGE })).toMatchObject({ status: 413 });
  expect(await metric(pod, 'realtime_nats_losses')).toBe(0);
});

test('A limit that is lowered while pods are connected costs one connection', SLOW, async () => {
  const nats = await natsOf({ config: ['max_payload: 1MB'] });
  const [here, there] = await podsOn(nats);
  await ready(here, there);
  const alice = await Witness.join(here, 'room', 'alice');
  const bob = await Witness.join(there, 'room', 'bob');
  const config = join(nats.folder, 'nats.conf');
  writeFileSync(config, readFileSync(config, 'utf8').replace('max_payload: 1MB', 'max_payload: 8192'));
  process.kill(nats.pid ?? NaN, 'SIGHUP');
  await eventually('another limit', () => nats.output().includes('Reloaded server configuration'));
  for (const ref of ['first', 'second']) {
    alice.client.send({ type: 'chat', room: 'room', ref, data: LARGE });
    const answer = await alice.client.next({ type: 'error', ref });
    expect(answer).toMatchObject({ data: { code: 'too_large' } });
    await ready(here);
  }
  for (const one of [alice, bob]) one.say();
  await allHeard([alice, bob], saidBy([alice, bob]));
  expect(JSON.stringify(bob.frames)).not.toContain(LARGE);
  expect(await metric(here, 'realtime_nats_losses')).toBe(1);
  expect(errorsIn(here)).toEqual([]);
});

test('A list of rooms larger than NATS takes comes in parts', SLOW, async () => {
  const nats = await natsOf({ config: ['max_payload: 8192'] });
  const [here, there] = await podsOn(nats);
  await ready(here, there);
  const rooms = Array.from({ length: 95 }, (_, n) => `${n}-${'r'.repeat(120)}`.padStart(124, '0')).toSorted();
  const alice = await open(there, '/ws?dialect=message&user_id=alice');
  for (const room of rooms) {
    alice.send({ type: 'join', room });
    await alice.next({ event: 'joined', room });
  }
  const seen: string[] = [];
  for (let cursor = ''; seen.length < rooms.length;) {
    const { body } = await get(here, `/api/rooms?limit=1000&cursor=${encodeURIComponent(cursor)}`);
    const page = body['rooms'] as { room: string }[];
    expect(page.length).toBeGreaterThan(0);
    seen.push(...page.map(({ room }) => room));
    cursor = String(body['cursor']);
  }
  expect(seen).toEqual(rooms);
  expect(errorsIn(there)).toEqual([]);
});
