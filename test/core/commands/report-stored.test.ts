import { describe, expect, test } from 'vitest';
import { TestPod, turns } from '../../support/test-pod.ts';
import type { Published } from '../../../src/core/ports/broker.ts';
import type { RoomRule } from '../../../src/core/ports/room-rules.ts';
import { publishToRoom } from '../../../src/core/commands/publish.ts';
import { reportStored } from '../../../src/core/commands/report-stored.ts';

const REQUEST = { type: 'chat', from: 'ann', data: '1', timestamp: '' } as const;

/** A pod in which `rule` holds for the room `r`, and what it reported: messages by position and data, changes by kind. */
function watched(rule: Partial<RoomRule>): { readonly pod: TestPod; readonly reported: string[] } {
  const reported: string[] = [];
  const pod = new TestPod({}, undefined, {
    changed: (room, { kind, member }, wanted) =>
      void reported.push(`${room} ${kind} ${member.userId} ${[...wanted].join(',')}`),
    stored: (room, id, { from, data }) => void reported.push(`${room} ${id.slice(0, 1)} ${from} ${data}`),
  });
  pod.rules.set('r', rule);
  return { pod, reported };
}

const MESSAGES = { webhook: new Set(['message'] as const) };

describe('A message is reported by the rule of its room', () => {
  test('for clients and the API, but not if it is ephemeral, refused or for another room', async () => {
    const { pod, reported } = watched({ ...MESSAGES, maxDataBytes: 10 });
    const { send } = pod.connect('ann');
    send({ type: 'chat', room: 'r', data: 'hi' });
    send({ type: 'chat', room: 'r', data: 'typing', ephemeral: true });
    send({ type: 'chat', room: 'r', data: 'a very long text' });
    send({ type: 'chat', room: 's', data: 'hi' });
    await publishToRoom(pod.pod, 'r', false, { ...REQUEST, from: 'system', isFromServer: true });
    await turns();
    expect(reported).toEqual(['r e ann "hi"', 'r e system 1']);
  });

  test('not in a room without history', async () => {
    const { pod, reported } = watched({ ...MESSAGES, historySize: 0 });
    await publishToRoom(pod.pod, 'r', false, REQUEST);
    await turns();
    expect(reported).toEqual([]);
  });

  test('once, if its publication is repeated', async () => {
    const { pod, reported } = watched(MESSAGES);
    for (let n = 0; n < 3; n += 1) await publishToRoom(pod.pod, 'r', false, { ...REQUEST, key: 'k' });
    await turns();
    expect(reported).toHaveLength(1);
  });
});

describe('A message that waits for the history', () => {
  /** What is reported of a publication that the broker answers with `first`, and with `last` once it is settled. */
  async function reportedOf(key: string | undefined, first: Published, last?: Published): Promise<string[]> {
    const { pod, reported } = watched(MESSAGES);
    const settled = Promise.withResolvers<Published>();
    const published = { ...first, ...(last && { settled: settled.promise }) };
    reportStored(pod.pod, 'r', { ...REQUEST, key }, Promise.resolve(published));
    await turns();
    if (last !== undefined) {
      expect(reported).toEqual([]);
      settled.resolve(last);
      await turns();
    }
    return reported;
  }

  const provisional = { id: '~', duplicate: false };
  test('is reported once that has it, with its position', async () => {
    expect(await reportedOf('k', provisional, { id: 'p', duplicate: false })).toEqual(['r p ann 1']);
  });

  test('is not reported if another pod has published it meanwhile', async () => {
    expect(await reportedOf('k', provisional, { id: 'p', duplicate: true })).toEqual([]);
  });

  test('is reported if only the answer to an earlier attempt of this pod was lost', async () => {
    const last = { id: 'p', duplicate: true };
    expect(await reportedOf('k', provisional, { ...last, maybeFirst: true })).toEqual(['r p ann 1']);
    expect(await reportedOf('k', { ...last, maybeFirst: true })).toEqual(['r p ann 1']);
    expect(await reportedOf(undefined, provisional, last)).toEqual(['r p ann 1']);
  });

  test('is not reported a second time for a repetition that got the same answer', async () => {
    const { pod, reported } = watched(MESSAGES);
    const settled = Promise.resolve({ id: 'p', duplicate: false });
    reportStored(
      pod.pod,
      'r',
      { ...REQUEST, key: 'k' },
      Promise.resolve({ id: '~', duplicate: true, settled }),
    );
    await turns();
    expect(reported).toEqual([]);
  });

  test('is not reported if it is refused in the end', async () => {
    const { pod, reported } = watched(MESSAGES);
    const settled = Promise.reject<Published>(new Error('too large'));
    reportStored(pod.pod, 'r', REQUEST, Promise.resolve({ ...provisional, settled }));
    reportStored(pod.pod, 'r', REQUEST, Promise.reject(new Error('unavailable')));
    await turns();
    expect(reported).toEqual([]);
  });
});

describe('Joins and leaves are reported by the rule of their room', () => {
  test('also where presence is switched off', async () => {
    const { pod, reported } = watched({ presence: false, webhook: new Set(['member_joined']) });
    const { send } = pod.connect('ann');
    send({ type: 'join', room: 'r' });
    send({ type: 'leave', room: 'r' });
    await turns();
    expect(reported).toEqual(['r join ann member_joined', 'r leave ann member_joined']);
  });

  test('not at all where the rule names none', async () => {
    const { pod, reported } = watched({ webhook: new Set() });
    pod.connect('ann').send({ type: 'join', room: 'r' });
    await turns();
    expect(reported).toEqual([]);
  });
});
