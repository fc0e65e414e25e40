import { bytesOf, type MemoryBudget } from './memory-budget.ts';
import { PublishQueue, type QueueOptions, type QueueOwner } from './publish-queue.ts';
import type { Publication } from './publication.ts';
import type { Published } from '../../core/ports/broker.ts';
import { Unavailable } from './unavailable.ts';

export interface PublishQueuesOptions extends QueueOptions, Pick<QueueOwner, 'deliver' | 'forget'> {
  /** So many publications may be buffered. */
  readonly mostMessages: number;
  /** Buffered publications count in it, and may fill it. */
  readonly budget: MemoryBudget;
}

/** While nothing is buffered, so many more publications than `mostMessages` may be in flight. */
const MOST_IN_FLIGHT = 10_000;

/** The publish queues of a pod, and the bound on all that they hold. */
export class PublishQueues {
  readonly #options: PublishQueuesOptions;
  readonly #owner: QueueOwner;
  /** Those that are not empty, by `Appender.queueOf`. */
  readonly #queues = new Map<number | string, PublishQueue>();
  readonly #byName = new Map<string, Publication>();
  #bytes = 0;
  /** Attempts that failed, since the start. */
  failures = 0;

  constructor(options: PublishQueuesOptions) {
    this.#options = options;
    this.#owner = {
      deliver: options.deliver,
      forget: options.forget,
      left: (publication) => this.#forget(publication),
      failed: () => (this.failures += 1),
    };
  }

  /** Publications that wait because the history does not take them. */
  get waiting(): number {
    let waiting = 0;
    for (const queue of this.#queues.values()) waiting += queue.waiting;
    return waiting;
  }

  /** Publications that the history has not stored yet. */
  get size(): number {
    return this.#byName.size;
  }

  /**
   * Resolves with the position, or with the provisional id if the publication is buffered. One with the
   * `provisionalId` of another that is still here gets its answer. Raises Unavailable when no more can be buffered.
   */
  publish(publication: Publication): Promise<Published> {
    const { body, provisionalId, room } = publication;
    const same = this.#byName.get(provisionalId);
    if (same !== undefined)
      return same.answered.promise.then((published) => ({
        ...published,
        duplicate: true,
        maybeFirst: undefined,
      }));
    const name = this.#options.appender.queueOf(room);
    const queue = this.#queues.get(name) ?? new PublishQueue(room, this.#options, this.#owner);
    if (this.#isFull(queue)) return Promise.reject(new Unavailable('the buffer for publications is full'));
    this.#byName.set(provisionalId, publication);
    this.#take(bytesOf(body));
    this.#queues.set(name, queue);
    queue.add(publication);
    return publication.answered.promise;
  }

  /** Sends what waits, in the order of each queue, now that histories can be reached. */
  async pump(): Promise<void> {
    await Promise.all(Array.from(this.#queues.values(), (queue) => queue.pump()));
  }

  #isFull(queue: PublishQueue): boolean {
    const { mostMessages, budget } = this.#options;
    const most = queue.buffering ? mostMessages : mostMessages + MOST_IN_FLIGHT;
    return this.#byName.size >= most || this.#bytes >= budget.most;
  }

  #take(bytes: number): void {
    this.#bytes += bytes;
    this.#options.budget.take(bytes);
    this.#options.budget.fit();
  }

  #forget({ body, provisionalId, room }: Publication): void {
    this.#byName.delete(provisionalId);
    this.#take(-bytesOf(body));
    const name = this.#options.appender.queueOf(room);
    if (this.#queues.get(name)?.empty === true) this.#queues.delete(name);
  }
}
