import type { PresenceChange } from '../core/ports/presence-store.ts';

/** One event in the body of a post. */
export interface WebhookEvent {
  /** Unique, and unchanged in a retry: a receiver may get an event twice and recognizes it by this id. */
  readonly id: string;
  readonly type: 'room_occupied' | 'room_vacated' | 'member_joined' | 'member_left';
  readonly room: string;
  /** Absent in events about the room. */
  readonly user_id?: string;
  /** RFC 3339, UTC, milliseconds. */
  readonly timestamp: string;
}

type EventKind = Pick<WebhookEvent, 'type' | 'user_id'>;

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
