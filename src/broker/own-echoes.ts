/** More than that many are not remembered: their second coming is no harm, the sequencer drops it. */
const MOST = 10_000;

/**
 * What this pod publishes comes back to it twice: as the answer, and by its own subscription. Whichever is first
 * counts, since what follows may come by either way.
 */
export class OwnEchoes {
  /** By provisional id: sent, or come by one of the two. */
  readonly #sent = new Map<string, 'sent' | 'answered' | 'heard'>();

  sent(id: string): void {
    if (this.#sent.size >= MOST) this.#sent.clear();
    if (!this.#sent.has(id)) this.#sent.set(id, 'sent');
  }

  /** The answer says that nothing was published, or nothing is known of it. */
  forget(id: string): void {
    if (this.#sent.get(id) === 'sent') this.#sent.delete(id);
  }

  /** The answer is there; true if it is the first to bring the message. */
  answered(id: string): boolean {
    return this.#came(id, 'answered', 'heard');
  }

  /** The subscription brought it; true if it is the first, as for every message of another pod. */
  heard(id: string): boolean {
    return this.#came(id, 'heard', 'answered');
  }

  #came(id: string, by: 'answered' | 'heard', other: 'answered' | 'heard'): boolean {
    const state = this.#sent.get(id);
    if (state === other) this.#sent.delete(id);
    else if (state !== undefined) this.#sent.set(id, by);
    return state !== other;
  }
}
