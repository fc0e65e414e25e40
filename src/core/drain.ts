import { pause } from './pause.ts';
import { sendAway } from './departure.ts';
import type { Pod } from './pod.ts';

/** When a connection is closed, and how long after that its client should be back; both in milliseconds. */
export interface Departure {
  readonly after: number;
  readonly reconnectAfterMs: number;
}

/**
 * The place of one of `count` connections in a drain: evenly over the window, so that the pods they go to take them
 * at one steady rate. Where that is more than `perSecond` the clients wait, not the drain.
 */
export function departure(index: number, count: number, windowMs: number, perSecond: number): Departure {
  const after = (index * windowMs) / count;
  return { after, reconnectAfterMs: Math.max(0, Math.round((index * 1_000) / perSecond - after)) };
}

/** Empties a pod: every connection is sent to another, in an order that has nothing to do with who came when. */
export class Drain {
  readonly #pod: Pod;
  /** How many connections there were when it began. */
  #count: number | undefined;

  constructor(pod: Pod) {
    this.#pod = pod;
  }

  /** How much of the drain is done, from 0 to 1; 0 while there is none. */
  get progress(): number {
    if (this.#count === undefined) return 0;
    return this.#count === 0 ? 1 : Math.max(0, 1 - this.#pod.hub.connectionCount / this.#count);
  }

  /** Resolves when all have been told, answered and closed. Nobody may be let in any more. */
  async run(windowMs: number): Promise<void> {
    const { clock, hub, limits, random } = this.#pod;
    const connections = shuffled([...hub.connections()], random);
    this.#count = connections.length;
    const start = clock.now();
    const departures: Promise<void>[] = [];
    for (const [index, connection] of connections.entries()) {
      const place = departure(index, connections.length, windowMs, limits.handshakesPerSecond);
      const wait = start + place.after - clock.now();
      if (wait >= 1) await pause(clock, wait);
      departures.push(sendAway(connection, place.reconnectAfterMs, clock));
    }
    await Promise.all(departures);
  }
}

/** The same things in random order (Fisher and Yates). */
function shuffled<Item>(items: Item[], random: () => number): Item[] {
  for (let last = items.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [items[last], items[other]] = [items[other] as Item, items[last] as Item];
  }
  return items;
}
