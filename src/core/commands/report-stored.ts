import type { Pod } from './pod.ts';
import type { Published } from '../ports/broker.ts';
import type { PublishRequest } from './publish.ts';

/**
 * Reports a message of a room to the operator's server once the history has it, unless it repeats an earlier one.
 * Returns at once; the publisher never waits for it.
 */
export function reportStored(
  { watcher }: Pod,
  room: string,
  request: PublishRequest,
  publishing: Promise<Published>,
): void {
  if (watcher === undefined) return;
  const report = (published: Published): void => {
    if (isFirst(published, request)) watcher.stored(room, published.id, request);
  };
  publishing
    .then((published) => {
      const { settled } = published;
      // The answer to a repetition has the `settled` of the first one, which is reported already.
      if (settled === undefined || published.duplicate) report(published);
      else settled.then(report, ignored);
    })
    .catch(ignored);
}

/**
 * Whether this publication is the one that the history stored. If that is not certain, another pod may report the
 * message too; the receiver then gets the same event twice.
 */
function isFirst({ duplicate, maybeFirst }: Published, { key }: PublishRequest): boolean {
  // Without a key it can repeat only itself: an earlier attempt was stored, and its answer lost.
  return !duplicate || maybeFirst === true || key === undefined;
}

/** The publisher learns why the message was not stored. */
function ignored(): void {}
