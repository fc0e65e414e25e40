import { describe, expect, test } from 'vitest';
import { TestPod, turns } from '../../support/test-pod.ts';
import type { Delivery } from '../../../src/core/delivery/delivery.ts';
import { encodeBody } from '../../../src/protocol/message.ts';
import { replay } from '../../../src/core/delivery/replay.ts';
import type { Stored } from '../../../src/core/ports/broker.ts';
import { storedDelivery } from '../../../src/core/delivery/delivery.ts';

const OLD = ['old.r.1-1', 'old.r.1-2', 'old.r.1-3'];

function stored(id: string): Stored {
  const timestamp = '2026-01-01T00:00:00.000Z';
  return {
    id,
    prev: '',
    body: encodeBody({ type: 'chat', room: 'r', from: 'bob', data: JSON.stringify(id), timestamp }),
  };
}

/** What a member is given of a page and of what was captured while it was read. */
async function given(
  page: readonly string[],
  position: string,
  captured: readonly string[],
): Promise<unknown[]> {
  const pod = new TestPod({ outboxMessages: 100 });
  const { connection, socket } = pod.connect('alice', { room: 'r' });
  await turns();
  const membership = connection.membership('r');
  if (membership === undefined) throw new Error('alice did not join');
  const { framer } = pod.pod;
  const deliveries = captured.map((id): Delivery => storedDelivery(stored(id), framer));
  replay(membership, { messages: page.map(stored), position, more: false }, deliveries, framer);
  connection.outbox.flush();
  return socket.frames.filter(({ type }) => type === 'chat').map(({ data }) => data);
}

describe('a page and what was captured meanwhile', () => {
  test('follow each other without what both have', async () => {
    expect(await given(OLD, 'old.r.1-3', [...OLD, 'old.r.1-4'])).toEqual([...OLD, 'old.r.1-4']);
  });

  test('are given once also where a failover has begun other positions', async () => {
    expect(await given(OLD, 'new.r.2-1', OLD)).toEqual(OLD);
    expect(await given(OLD, 'new.r.2-1', [...OLD, 'new.r.2-2'])).toEqual([...OLD, 'new.r.2-2']);
    expect(await given([], 'new.r.2-2', [...OLD, 'new.r.2-2', 'new.r.2-3'])).toEqual(['new.r.2-3']);
  });

  test('all that was captured follows a page of another history', async () => {
    expect(await given(OLD, 'old.r.1-3', ['new.r.2-2'])).toEqual([...OLD, 'new.r.2-2']);
  });
});
