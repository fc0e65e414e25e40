import type { PresenceChange } from '../../src/core/ports/presence-store.ts';
import type { RoomEvent } from '../../src/core/ports/room-rules.ts';
import type { WatcherFigures } from '../../src/core/ports/watcher.ts';
import { destinationOf } from '../../src/webhooks/post.ts';
import { TestClock } from '../support/test-clock.ts';
import { Webhooks } from '../../src/webhooks/webhooks.ts';
import { until } from '../support/client.ts';

export const SECRET = 'a very secret secret';
/** A batch goes out after so many milliseconds. */
const BATCH_MS = 500;

export const ALL: ReadonlySet<RoomEvent> = new Set([
  'room_occupied',
  'room_vacated',
  'member_joined',
  'member_left',
] as const);
const MESSAGE = { type: 'chat', from: 'ann', timestamp: '2026-01-01T00:00:00.000Z' } as const;

export interface Bench {
  readonly webhooks: Webhooks;
  readonly clock: TestClock;
  /** Log lines as JSON. */
  readonly lines: string[];
  readonly join: (user: string, count?: number) => void;
  readonly leave: (user: string, count?: number) => void;
  readonly say: (data: string) => void;
  /** What became of joins and leaves. */
  readonly figures: () => WatcherFigures;
  readonly ofMessages: () => WatcherFigures;
  /** Lets the batch go out. */
  readonly post: () => void;
  /** Waits until as many log lines are there. */
  readonly logged: (count: number) => Promise<void>;
}

/** Webhooks with a clock that stands still; `random` decides the jitter. */
export function bench(url: string, random = 1): Bench {
  const clock = new TestClock();
  const lines: string[] = [];
  const note = (fields: object, message: string): void => void lines.push(JSON.stringify([fields, message]));
  const log = { debug: note, info: note, warn: note, error: note };
  let [ids, said] = [0, 0];
  const newId = (): string => `e${(ids += 1)}`;
  const destination = destinationOf(url, SECRET);
  const webhooks = new Webhooks({ destination, clock, log, random: () => random, newId });
  return {
    webhooks,
    clock,
    lines,
    join: (user, count = 2) => webhooks.changed('r', change('join', user, count), ALL),
    leave: (user, count = 2) => webhooks.changed('r', change('leave', user, count), ALL),
    say: (data) => webhooks.stored('r', `p${(said += 1)}`, { ...MESSAGE, data }),
    figures: () => copy(webhooks.figures.presence),
    ofMessages: () => copy(webhooks.figures.messages),
    post: () => clock.advance(BATCH_MS),
    logged: (count) => until(`${count} log lines`, () => lines.length >= count),
  };
}

/** The figures of now; `webhooks` goes on counting in its own. */
function copy({ reported, dropped, retries, waiting }: WatcherFigures): WatcherFigures {
  return { reported, dropped, retries, waiting };
}

export function change(kind: PresenceChange['kind'], userId: string, count: number): PresenceChange {
  return { kind, member: { userId, status: 'online', meta: '{}', updatedAt: 0 }, count };
}
