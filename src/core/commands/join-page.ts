import type { After, Moment } from '../delivery/membership.ts';
import type { Connection } from '../delivery/connection.ts';
import { isUnavailable, Refused } from '../base/refused.ts';
import type { JoinCommand } from '../../protocol/command.ts';
import type { Page } from '../ports/broker.ts';
import { pageOfLastValue } from './last-value.ts';
import type { Pod } from './pod.ts';
import type { Room } from '../delivery/room.ts';

/** What a join read of the history. */
export interface Found {
  readonly page: Page;
  /** Set if the history cannot be read now: where to read it later. */
  readonly owed?: After;
}

/** Reads what a join asks for, or says where to read it once that is possible. */
export async function lookUp(
  pod: Pod,
  connection: Connection,
  room: Room,
  command: JoinCommand,
): Promise<Found> {
  try {
    await room.history.opened();
    if (!pod.broker.reaches(room.name)) throw new Refused('unavailable');
    return { page: await readFor(pod, connection, room, command) };
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    const { lastId } = command;
    const after = connection.may('history', room.name) ? lastId : undefined;
    const position = after ?? room.history.lastPosition;
    const owed = position === '' ? momentIn(pod, room) : { after: position };
    const page = {
      messages: [],
      position: lastId ?? room.history.lastPosition,
      more: false,
      missing: 'unavailable',
    } as const;
    return { page, owed };
  }
}

function momentIn({ broker, clock }: Pod, { name }: Room): Moment {
  return { since: broker.now(name), sinceElapsed: clock.elapsed() };
}

async function readFor(
  pod: Pod,
  connection: Connection,
  room: Room,
  { lastId, history = 0 }: JoinCommand,
): Promise<Page> {
  if (lastId === undefined && history === 0) return pageOfLastValue(pod, room);
  if (!connection.may('history', room.name)) {
    const missing = lastId === undefined ? undefined : 'unavailable';
    return { messages: [], position: await room.history.position(), more: false, missing };
  }
  const { historySize: kept } = room.rule;
  const from = lastId === undefined ? { newest: Math.min(history, kept) } : { after: lastId };
  return room.history.read(from, kept);
}
