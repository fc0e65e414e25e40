import type { PresenceChange } from '../core/ports/presence-store.ts';
import type { ReportedMessage } from '../core/ports/watcher.ts';
import type { RoomEvent } from '../core/ports/room-rules.ts';
import { createHash } from 'node:crypto';

const ID_LENGTH = 32;

/** An event about the members of a room, as it is posted. */
export interface PresenceEvent {
  /** Unique, and unchanged in a retry: a receiver may get an event twice and recognizes it by this id. */
  readonly id: string;
  readonly type: Exclude<RoomEvent, 'message'>;
  readonly room: string;
  /** Absent in events about the room. */
  readonly user_id?: string;
  /** RFC 3339, UTC, milliseconds. */
  readonly timestamp: string;
}

type EventKind = Pick<PresenceEvent, 'type' | 'user_id'>;

/** The events of a presence change. The first member occupies the room, the last one vacates it. */
export function eventsOf({ kind, member, count }: PresenceChange): readonly EventKind[] {
  const user = { user_id: member.userId };
  switch (kind) {
    case 'join':
      return [
        ...(count === 1 ? [{ type: 'room_occupied' } as const] : []),
        { type: 'member_joined', ...user },
      ];
    case 'leave':
      return [{ type: 'member_left', ...user }, ...(count === 0 ? [{ type: 'room_vacated' } as const] : [])];
    case 'update':
      return [];
  }
}

/** The event of a stored message, as JSON. `data` is passed through as it is. */
export function messageEvent(
  room: string,
  position: string,
  { type, from, event, data, timestamp }: ReportedMessage,
): string {
  const about = { id: idOf(room, position), type: 'message', room, user_id: from, timestamp };
  const message = { id: position, type, event };
  return `${open(about)},"message":${open(message)},"data":${data}}}`;
}

/** Two pods that report the same message give it the same id. */
function idOf(room: string, position: string): string {
  return createHash('sha256').update(`${room}\n${position}`).digest('hex').slice(0, ID_LENGTH);
}

/** A JSON object without its closing brace. */
function open(value: object): string {
  return JSON.stringify(value).slice(0, -1);
}
