import type { Joined, Message } from './wire.ts';

/** Far more than a default history holds, so that a full replay shows no message twice. */
const MAX_SEEN = 5_000;

/** This client's position in a room's history, and the ids of the messages it has received. */
export class ResumePoint {
  #position: string | undefined;
  readonly #seen = new Set<string>();
  /** How many messages of a replay are still to come. */
  #replayed = 0;

  /** The position to resume after; undefined if the client never joined the room. */
  get position(): string | undefined {
    return this.#position;
  }

  /**
   * Takes in the server's answer to a join. The end of the history becomes the position only if no stored messages
   * follow: otherwise each message received moves the position. If the server lost the history, the old position is
   * worthless and the end of the new history replaces it.
   */
  joined({ position, recovered, reason, replayed = 0 }: Joined): void {
    this.replays(replayed);
    const worthless = recovered === false && reason !== 'unavailable';
    if (replayed === 0 && (this.#position === undefined || worthless)) this.#position = position;
  }

  /** The server could not read the requested history: it is still to come, so there is no position yet. */
  awaitHistory(): void {
    this.#position = undefined;
  }

  /**
   * The server is about to replay `count` stored messages. No id is dropped meanwhile: a replay begins with the oldest
   * message, so each dropped id would let the next message through a second time.
   */
  replays(count: number): void {
    this.#replayed = count;
  }

  /** Moves to a message; false if it was received before. */
  received(message: Message): boolean {
    const { id, provisional_id: earlier, ephemeral, provisional } = message;
    const isNew = !this.#seen.has(id) && !(earlier !== undefined && this.#seen.has(earlier));
    if (ephemeral !== true && provisional !== true) this.#position = id;
    // An ephemeral message is never replayed, and its id would push out one that may be.
    if (ephemeral !== true) this.#seen.add(id);
    if (earlier !== undefined) this.#seen.add(earlier);
    if (this.#replayed > 0) this.#replayed -= 1;
    else while (this.#seen.size > MAX_SEEN) this.#dropOldest();
    return isNew;
  }

  clear(): void {
    this.#position = undefined;
    this.#replayed = 0;
    this.#seen.clear();
  }

  #dropOldest(): void {
    const [oldest] = this.#seen;
    if (oldest !== undefined) this.#seen.delete(oldest);
  }
}
