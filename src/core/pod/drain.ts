import type { PodParts } from './parts.ts';
import { pause } from '../base/pause.ts';
import { sendAway } from './departure.ts';

/**
 * Spreads reconnects over time: each client may reconnect at once, unless other pods would get more handshakes per
 * second than one pod accepts.
 */
export class Places {
  readonly #everyMs: number;
  #last = Number.NEGATIVE_INFINITY;

  constructor(perSecond: number) {
    this.#everyMs = 1_000 / perSecond;
  }

  /** How long a client that is sent away `now` must wait, in whole milliseconds. */
  next(now: number): number {
    this.#last = Math.max(now, this.#last + this.#everyMs);
    return Math.round(this.#last - now);
  }
}

/** Empties a pod: sends every client to another pod, in random order. */
export class Drain {
  readonly #pod: PodParts;
  /** How many connections the pod had at the start of the drain. */
  #count: number | undefined;

  constructor(pod: PodParts) {
    this.#pod = pod;
  }

  /** Progress of the drain, from 0 to 1; 0 before it starts. */
  get progress(): number {
    if (this.#count === undefined) return 0;
    return this.#count === 0 ? 1 : Math.max(0, 1 - this.#pod.hub.connectionCount / this.#count);
  }

  /**
   * Sends the clients away evenly over the window, so that the other pods get a steady rate of handshakes. Resolves
   * when all are answered, told and closed. The caller must refuse new connections before.
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

/** The same items in random order (Fisher and Yates). */
function shuffled<Item>(items: Item[], random: () => number): Item[] {
  for (let last = items.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [items[last], items[other]] = [items[other] as Item, items[last] as Item];
  }
  return items;
}
