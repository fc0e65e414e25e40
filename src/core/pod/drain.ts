import type { PodParts } from './parts.ts';
import { pause } from '../base/pause.ts';
import { sendAway } from './departure.ts';

/**
 * Gives clients places at other pods: at once, but never more of them in a second than a pod takes, however many are
 * sent away at the same moment.
 */
export class Places {
  readonly #everyMs: number;
  #last = Number.NEGATIVE_INFINITY;

  constructor(perSecond: number) {
    this.#everyMs = 1_000 / perSecond;
  }

  /** How long whoever is sent away `now` has to wait, in whole milliseconds. */
  next(now: number): number {
    this.#last = Math.max(now, this.#last + this.#everyMs);
    return Math.round(this.#last - now);
  }
}

/** Empties a pod: every connection is sent to another, in an order that has nothing to do with who came when. */
export class Drain {
  readonly #pod: PodParts;
  /** How many connections there were when it began. */
  #count: number | undefined;

  constructor(pod: PodParts) {
    this.#pod = pod;
  }

  /** How much of the drain is done, from 0 to 1; 0 while there is none. */
  get progress(): number {
    if (this.#count === undefined) return 0;
    return this.#count === 0 ? 1 : Math.max(0, 1 - this.#pod.hub.connectionCount / this.#count);
  }

  /**
   * Sends them away evenly over the window, so that the pods they go to take them at one steady rate. Resolves when all
   * have been answered, told and closed. Nobody may be let in any more.
   */
  async run(windowMs: number): Promise<void> {
    const { clock, hub, limits, random } = this.#pod;
    const connections = shuffled([...hub.connections()], random);
    this.#count = connections.length;
    const start = clock.elapsed();
    const places = new Places(limits.handshakesPerSecond);
    const departures: Promise<void>[] = [];
    for (const [index, connection] of connections.entries()) {
      const wait = start + (index * windowMs) / connections.length - clock.elapsed();
      if (wait >= 1) await pause(clock, wait);
      departures.push(sendAway(this.#pod, connection, () => places.next(clock.elapsed())));
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
