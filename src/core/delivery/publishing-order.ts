import type { Published } from '../ports/broker.ts';

/** What a connection has published, as long as not all of it has an answer. */
export interface UnderWay {
  /** How many are on their way to the broker. */
  count: number;
  /** All of those go into a history. */
  areBeingKept: boolean;
  /** Those that have not set out, in the order in which they were asked for. */
  readonly waiting: Waiting[];
}

interface Waiting {
  readonly kept: boolean;
  readonly start: () => void;
}

interface Publisher {
  underWay: UnderWay | undefined;
}

/**
 * Publishes in the order in which one publisher asked, in whatever rooms. What goes into a history need not wait for
 * what does as well, since the broker keeps their order; what no history has is delivered at once and would overtake
 * it, so it waits until all before it has an answer. What fails, or is answered provisionally, has its answer too.
 */
export function inPublishingOrder(
  publisher: Publisher,
  kept: boolean,
  publish: () => Promise<Published>,
): Promise<Published> {
  const underWay = (publisher.underWay ??= { count: 0, areBeingKept: kept, waiting: [] });
  if (underWay.waiting.length === 0 && mayStart(underWay, kept))
    return start(publisher, underWay, kept, publish);
  return new Promise((resolve) => {
    underWay.waiting.push({ kept, start: () => resolve(start(publisher, underWay, kept, publish)) });
  });
}

function mayStart({ count, areBeingKept }: UnderWay, kept: boolean): boolean {
  return count === 0 || (kept && areBeingKept);
}

async function start(
  publisher: Publisher,
  underWay: UnderWay,
  kept: boolean,
  publish: () => Promise<Published>,
): Promise<Published> {
  underWay.count += 1;
  underWay.areBeingKept = kept;
  try {
    return await publish();
  } finally {
    underWay.count -= 1;
    startNext(underWay);
    if (underWay.count === 0) publisher.underWay = undefined;
  }
}

/** One that waits is followed at once by those that need not wait for it. */
function startNext(underWay: UnderWay): void {
  for (let [next] = underWay.waiting; next !== undefined; [next] = underWay.waiting) {
    if (!mayStart(underWay, next.kept)) return;
    underWay.waiting.shift();
    next.start();
  }
}
