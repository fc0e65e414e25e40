import { onTestFinished } from 'vitest';
import { INGRESS_URL } from './cluster.ts';

const EVERY_MS = 100;
/** What a backend waits for at most, before it says that it failed. */
const PATIENCE_MS = 5_000;

/** A backend that publishes all the time, by way of the ingress and without a cookie, and counts what fails. */
export class Asker {
  readonly #timer: NodeJS.Timeout;
  #asked = 0;
  #failed = 0;

  constructor() {
    this.#timer = setInterval(() => void this.#ask(), EVERY_MS);
    onTestFinished(() => this.stop());
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Since it was last asked: `31 of 97 (32 %)`. Requests under way are of the next time. */
  failures(): string {
    const share = `${this.#failed} of ${this.#asked} (${Math.round((100 * this.#failed) / Math.max(1, this.#asked))} %)`;
    this.#asked = this.#failed = 0;
    return share;
  }

  async #ask(): Promise<void> {
    // Each on a connection of its own: what is kept open to the ingress would be no matter here.
    const headers = { 'Content-Type': 'application/json', Connection: 'close' };
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const body = JSON.stringify({ data: 'asked' });
    const url = `${INGRESS_URL}/api/rooms/asked/messages`;
    const isOk = await fetch(url, { method: 'POST', headers, body, signal }).then(
      async (answer) => (await answer.text(), answer.ok),
      () => false,
    );
    this.#asked += 1;
    if (!isOk) this.#failed += 1;
  }
}
