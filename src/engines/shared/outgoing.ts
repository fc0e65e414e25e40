import { type Draft, Lane, type LaneOptions, type Waiting } from './lane.ts';
import { Unavailable } from './unavailable.ts';
import { bytesOf, type Held } from './held.ts';
import type { Published } from '../../core/ports/broker.ts';

export interface OutgoingOptions extends Omit<LaneOptions, 'left' | 'failed'> {
  /** Publications of the same lane keep their order among each other; one lane's trouble does not hold up another. */
  readonly laneOf: (room: string) => number | string;
  readonly mostMessages: number;
  /** What waits counts in it, and may fill it. */
  readonly held: Held;
}

/** Beyond what may wait, so many may be sent without an answer. */
const MOST_SENT = 10_000;

/** Publications between a client and the histories of rooms, in lanes; as many as there is room for. */
export class Outgoing {
  readonly #options: OutgoingOptions;
  readonly #laneOptions: LaneOptions;
  /** Those in which something is. */
  readonly #lanes = new Map<number | string, Lane>();
  readonly #byName = new Map<string, Waiting>();
  #bytes = 0;
  /** Attempts that failed, since the start. */
  failures = 0;

  constructor(options: OutgoingOptions) {
    this.#options = options;
    this.#laneOptions = {
      ...options,
      left: (one) => this.#forget(one),
      failed: () => (this.failures += 1),
    };
  }

  /** Publications that wait because what takes them is away. */
  get waiting(): number {
    let waiting = 0;
    for (const lane of this.#lanes.values()) waiting += lane.waiting;
    return waiting;
  }

  /** What is under way already is answered when that is. Raises Unavailable where no more can wait. */
  publish(draft: Draft): Promise<Published> {
    const { provisionalId: id, room } = draft;
    const same = this.#byName.get(id);
    if (same !== undefined)
      return same.answered.promise.then((published) => ({ ...published, duplicate: true }));
    const name = this.#options.laneOf(room);
    const lane = this.#lanes.get(name) ?? new Lane(room, this.#laneOptions);
    if (this.#isFull(lane)) return Promise.reject(new Unavailable('as many publications wait as may'));
    const answered = Promise.withResolvers<Published>();
    const one: Waiting = {
      ...draft,
      provisional: false,
      sentAt: undefined,
      state: 'waits',
      answered,
      settled: undefined,
    };
    this.#byName.set(id, one);
    this.#take(bytesOf(one.body));
    this.#lanes.set(name, lane);
    lane.add(one);
    return answered.promise;
  }

  /** Publications that history does not have yet. */
  get size(): number {
    return this.#byName.size;
  }

  /** What takes them is there: what waits goes out, in the order of each lane. */
  async pump(): Promise<void> {
    await Promise.all(Array.from(this.#lanes.values(), (lane) => lane.pump()));
  }

  #isFull(lane: Lane): boolean {
    const { mostMessages, held } = this.#options;
    const most = lane.away ? mostMessages : mostMessages + MOST_SENT;
    return this.#byName.size >= most || this.#bytes >= held.most;
  }

  #take(bytes: number): void {
    this.#bytes += bytes;
    this.#options.held.take(bytes);
    this.#options.held.fit();
  }

  #forget(one: Waiting): void {
    this.#byName.delete(one.provisionalId);
    this.#take(-bytesOf(one.body));
    const name = this.#options.laneOf(one.room);
    if (this.#lanes.get(name)?.empty === true) this.#lanes.delete(name);
  }
}
