import type { LastValueSlot, Page, Stored } from '../ports/broker.ts';
import type { Capture, Room } from '../delivery/room.ts';
import type { Pod } from './pod.ts';
import type { RoomRule } from '../ports/room-rules.ts';

/** Where the room's rule keeps its value; undefined if the rule keeps none. */
export function slotOf({ lastValue, lastValueTtlMs: ttlMs }: RoomRule): LastValueSlot | undefined {
  return lastValue === 'off' ? undefined : { slot: lastValue, ttlMs };
}

/**
 * The page of a join that asks for no history: the value of the room if its rule keeps one, else nothing. Raises
 * `unavailable`.
 */
export async function pageOfLastValue({ broker }: Pod, room: Room): Promise<Page> {
  const slot = slotOf(room.rule);
  const value = slot === undefined ? undefined : await broker.lastValue?.(room.name, slot);
  if (value === undefined) return { messages: [], position: await room.history.position(), more: false };
  // Brings the members up to date: they must not get the value again after this client has it.
  const { position } = await room.history.read({ newest: 0 }, 0);
  return { messages: [{ ...value, prev: '' }], position, more: false };
}

/** The page without an ephemeral value that was delivered while the client joined, and so follows anyway. */
export function withoutDelivered(page: Page, { deliveries }: Capture): Page {
  const isDelivered = ({ body }: Stored): boolean =>
    deliveries.some((delivery) => delivery.stored === undefined && delivery.body === body);
  const messages = page.messages.filter((message) => !isDelivered(message));
  return messages.length === page.messages.length ? page : { ...page, messages };
}
