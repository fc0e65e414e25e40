import type { Clock } from './platform.ts';

/** How long the server may take to answer a probe. */
const PROBE_MS = 5_000;
/** A timer that fires this late was suspended: the machine slept, or a browser froze the tab. */
const LATE_MS = 2_000;

/**
 * Detects a dead connection. A browser learns of a pulled cable only from TCP, after many minutes, and does not show
 * WebSocket pings to scripts. So the client sends a ping frame in each interval, and calls `dead` if nothing at all
 * arrives in the interval after it.
 */
export class Heartbeat {
  readonly #clock: Clock;
  readonly #ping: () => void;
  readonly #dead: () => void;
  #timer: unknown;
  #hasReceived = false;
  #intervalMs = PROBE_MS;

  constructor(clock: Clock, ping: () => void, dead: () => void) {
    this.#clock = clock;
    this.#ping = ping;
    this.#dead = dead;
  }

  /** Expects a frame within `ms`, and from then on one in each interval of `ms`. */
  start(ms: number): void {
    this.#intervalMs = ms;
    this.#expectWithin(ms);
  }

  /** Sends a ping now and expects an answer within 5 s, because the connection may be dead. */
  probe(): void {
    this.#expectWithin(Math.min(PROBE_MS, this.#intervalMs));
    this.#ping();
  }

  /** Something arrived. */
  received(): void {
    this.#hasReceived = true;
  }

  stop(): void {
    this.#clock.clearTimeout(this.#timer);
  }

  #expectWithin(ms: number): void {
    this.stop();
    this.#hasReceived = false;
    const due = this.#clock.now() + ms;
    this.#timer = this.#clock.setTimeout(() => this.#tick(due), ms);
  }

  #tick(due: number): void {
    // After a suspension, frames received before it prove nothing, and frames that came during it are still unread.
    if (this.#clock.now() - due > LATE_MS) return this.probe();
    if (!this.#hasReceived) return this.#dead();
    this.#expectWithin(this.#intervalMs);
    this.#ping();
  }
}
