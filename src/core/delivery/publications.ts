import type { Published } from '../ports/broker.ts';

interface Waiting {
  readonly isStored: boolean;
  readonly start: () => void;
}

/**
 * The order in which one connection publishes, in whatever rooms: the order in which the client asked. Stored messages
 * need not wait for each other, since the broker keeps their order. A message that no history stores is delivered at
 * once and would overtake the stored ones before it, so it waits until all of them have an answer, and they wait for
 * it. A failure and a provisional delivery are answers, too.
 *
 * For each publication the caller calls `asked`, then `inOrder`, then `ended` when that has settled, and `answered`
 * when the client has its answer.
 */
export class Publications {
  /** How many are on their way to the broker. */
  #underWay = 0;
  /** Whether those that are on their way are stored by a history. */
  #areStored = false;
  /** Publications that have not started, oldest first; undefined while there is none. */
  #waiting: Waiting[] | undefined;
  /** Publish commands that the client has no answer to. */
  #unanswered = 0;

  /** Whether a publication is on its way, or its client has no answer. */
  get isBusy(): boolean {
    return this.#underWay > 0 || this.#unanswered > 0;
  }

  asked(): void {
    this.#unanswered += 1;
  }

  answered(): void {
    this.#unanswered -= 1;
  }

  /**
   * Calls `publish` when the order allows it, nearly always at once, and settles as it does. The waiting publications
   * are called synchronously by `ended`: one that resumed a microtask later could be overtaken by the next command.
   */
  inOrder(isStored: boolean, publish: () => Promise<Published>): Promise<Published> {
    if (this.#waiting === undefined && this.#mayStart(isStored)) {
      this.#started(isStored);
      return publish();
    }
    return new Promise((resolve, reject) => {
      const start = (): void => {
        this.#started(isStored);
        try {
          resolve(publish());
        } catch (error) {
          reject(error);
        }
      };
      (this.#waiting ??= []).push({ isStored, start });
    });
  }

  /**
   * A started publication has its answer: starts the first that waits, if it may, and those that need not wait for it.
   */
  ended(): void {
    this.#underWay -= 1;
    const waiting = this.#waiting ?? [];
    while (waiting[0] !== undefined && this.#mayStart(waiting[0].isStored)) waiting.shift()?.start();
    if (waiting.length === 0) this.#waiting = undefined;
  }

  #mayStart(isStored: boolean): boolean {
    return this.#underWay === 0 || (isStored && this.#areStored);
  }

  #started(isStored: boolean): void {
    this.#underWay += 1;
    this.#areStored = isStored;
  }
}
