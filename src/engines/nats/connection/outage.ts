import type { Clock } from '../../../core/ports/clock.ts';
import type { Log } from '../../../core/ports/log.ts';

/** The log gets the same reason again after so long. */
const REMINDER_MS = 60_000;

/** Why NATS is unavailable, and what the log knows of it. A reason is logged once, and again after a minute. */
export class Outage {
  readonly #clock: Clock;
  readonly #log: Log;
  /** Why calls are rejected. */
  reason = 'not connected yet';
  /** The reasons that were logged in this outage. Empty at the start of the pod, which waits before it warns. */
  readonly #logged = new Set<string>();
  /** By `Clock.elapsed`. */
  #loggedAt = 0;
  #isOn = true;
  #isSilent = false;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  warn(): void {
    this.#isOn = true;
    this.#logged.add(this.reason);
    this.#loggedAt = this.#clock.elapsed();
    this.#log.warn({ reason: this.reason }, 'NATS is unavailable; this pod continues without it');
  }

  /** The connection is lost. */
  begin(reason: string): void {
    this.reason = reason;
    if (!this.#isOn && !this.#isSilent) this.warn();
  }

  /** An attempt to connect has failed. */
  goesOn(reason: string): void {
    this.reason = reason;
    if (this.#logged.size === 0 || this.#isSilent) return;
    const isDue = this.#clock.elapsed() - this.#loggedAt >= REMINDER_MS;
    if (!this.#logged.has(reason) || isDue) this.warn();
  }

  end(): void {
    this.reason = 'the connection was closed';
    this.#isOn = false;
    this.#logged.clear();
  }

  /** The pod stops: nothing is logged any more. */
  silence(): void {
    this.#isSilent = true;
  }
}
