import type { ReportedMessage, Watcher } from '../ports/watcher.ts';
import type { Pod } from './pod.ts';
import type { Published } from '../ports/broker.ts';

/** A message, and the key that makes its publication idempotent. */
interface Reportable extends ReportedMessage {
  readonly key?: string | undefined;
}

/**
 * Reports a message of a room to the operator's server once the history has it, unless it repeats an earlier one.
 * Returns at once; the publisher never waits for it.
 */
export function reportStored(
  { watcher }: Pod,
  room: string,
  message: Reportable,
  publishing: Promise<Published>,
): void {
  if (watcher !== undefined) report(watcher, room, message, publishing).catch(ignored);
}

async function report(
  watcher: Watcher,
  room: string,
  message: Reportable,
  publishing: Promise<Published>,
): Promise<void> {
  const first = await publishing;
  // The answer to a repetition may have the `settled` of the first publication, which reports the message itself.
  const published = first.settled === undefined || first.duplicate ? first : await first.settled;
  if (isFirst(published, message)) watcher.stored(room, published.id, message);
}

/**
 * Whether this publication is the one that the history stored. If that is not certain, another pod may report the
 * message too; the receiver then gets the same event twice.
 */
function isFirst({ duplicate, maybeFirst }: Published, { key }: Reportable): boolean {
  // Without a key it can repeat only itself: an earlier attempt was stored, and its answer lost.
  return !duplicate || maybeFirst === true || key === undefined;
}

/** The message was not stored, which its publisher learns. */
function ignored(): void {}
