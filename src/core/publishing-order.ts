import type { Published } from './ports/broker.ts';

/** What a connection has published last, as long as that has no answer. */
export interface UnderWay {
  /** It goes into a history, and is on its way there. */
  isBeingKept: boolean;
  /** Resolves when it, and with it all before it, has its answer; never rejects. */
  done: Promise<void>;
}

interface Publisher {
  underWay: UnderWay | undefined;
}

/**
 * Publishes in the order in which one publisher asked. What goes into a history need not wait for what does as well,
 * since the broker keeps their order; what no history has is delivered at once and would overtake it.
 */
export function inPublishingOrder(
  publisher: Publisher,
  kept: boolean,
  publish: () => Promise<Published>,
): Promise<Published> {
  const before = publisher.underWay;
  const underWay: UnderWay = { isBeingKept: false, done: Promise.resolve() };
  const start = (): Promise<Published> => {
    underWay.isBeingKept = kept;
    return publish();
  };
  const mayStart = before === undefined || (kept && before.isBeingKept);
  const published = mayStart ? start() : before.done.then(start);
  const forget = (): void => {
    if (publisher.underWay === underWay) publisher.underWay = undefined;
  };
  underWay.done = published.then(forget, forget);
  publisher.underWay = underWay;
  return published;
}
