import type { Joined, Message } from './wire.ts';

/** Far more than a default history, so that nothing of a full replay is shown twice. */
const MOST_SEEN = 5_000;

/** Where in a room's history this client stands, and which messages it has had. */
export class ResumePoint {
  #position: string | undefined;
  readonly #seen = new Set<string>();
  /** How many messages of a replay are still to come. */
  #replayed = 0;

  /** The position to resume after; undefined when the room was never joined. */
  get position(): string | undefined {
    return this.#position;
  }

  /**
   * Where the history ends is where to resume only if nothing of it is still to come: the position moves by what was
   * received. After a history that was lost whole the old position is worthless, however.
   */
  joined({ position, recovered, reason, replayed = 0 }: Joined): void {
    this.replays(replayed);
    const worthless = recovered === false && reason !== 'unavailable';
    if (replayed === 0 && (this.#position === undefined || worthless)) this.#position = position;
  }

  /** The history that was asked for could not be read: it is still to come, and there is no place in it yet. */
  owed(): void {
    this.#position = undefined;
  }

  /**
   * So many kept messages follow. None is forgotten for their sake: a replay begins with the oldest, and each that is
   * forgotten would let in the next one a second time.
   */
  replays(count: number): void {
    this.#replayed = count;
  }

  /** Moves to a message; false if it was received before. */
  received(message: Message): boolean {
    const { id, provisional_id: earlier, ephemeral, provisional } = message;
    const isNew = !this.#seen.has(id) && !(earlier !== undefined && this.#seen.has(earlier));
    if (ephemeral !== true && provisional !== true) this.#position = id;
    // What is not kept never comes again, and would push out what may.
    if (ephemeral !== true) this.#seen.add(id);
    if (earlier !== undefined) this.#seen.add(earlier);
    if (this.#replayed > 0) this.#replayed -= 1;
    else while (this.#seen.size > MOST_SEEN) this.#forgetOldest();
    return isNew;
  }

  forget(): void {
    this.#position = undefined;
    this.#replayed = 0;
    this.#seen.clear();
  }

  #forgetOldest(): void {
    const [oldest] = this.#seen;
    if (oldest !== undefined) this.#seen.delete(oldest);
  }
}
