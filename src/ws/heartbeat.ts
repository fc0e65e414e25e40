import { CLOSE } from '../protocol/close-codes.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Connection } from '../core/delivery/connection.ts';
import type { Hub } from '../core/pod/hub.ts';
import type { Limits } from '../core/base/limits.ts';
import { every } from '../core/base/every.ts';

const TICK_MS = 1_000;
/** If a beat is later than this, the pod itself was blocked, and its clients were not silent. */
const LATE_MS = 1_000;

/**
 * Pings every connection each HEARTBEAT_SECONDS. Closes connections from which nothing arrived for
 * HEARTBEAT_TIMEOUT_SECONDS, and those whose token has expired. One timer serves all connections.
 */
export class Heartbeat {
  readonly #hub: Hub;
  readonly #clock: Clock;
  readonly #limits: Limits;
  /** Up to when pings have been sent, by `Clock.elapsed`. */
  #pingedUpTo = 0;
  /** When the last beat was, by `Clock.elapsed`. */
  #beatAt = 0;
  #cancel: () => void = () => undefined;

  constructor(hub: Hub, clock: Clock, limits: Limits) {
    this.#hub = hub;
    this.#clock = clock;
    this.#limits = limits;
  }

  start(): void {
    this.#beatAt = this.#clock.elapsed();
    this.#pingedUpTo = this.#beatAt;
    this.#cancel = every(this.#clock, TICK_MS, () => {
      this.#beat();
      this.#beatAt = this.#clock.elapsed();
    });
  }

  stop(): void {
    this.#cancel();
  }

  #beat(): void {
    const [now, elapsed] = [this.#clock.now(), this.#clock.elapsed()];
    const late = elapsed - this.#beatAt - TICK_MS;
    // While this process was blocked, it could neither ping nor read.
    if (late > LATE_MS) this.#excuse(late);
    const silentSince = elapsed - this.#limits.heartbeatTimeoutSeconds * 1_000;
    for (const connection of this.#hub.connections()) {
      const { commands, expiresAt } = connection;
      // Its socket is not read, so its silence is the pod's own.
      if (commands.holdsBack) connection.heard(elapsed);
      if (expiresAt !== undefined && expiresAt <= now) connection.close(CLOSE.tokenEnded);
      else if (connection.lastHeard <= silentSince) connection.close(CLOSE.noHeartbeat);
      else if (this.#isPingDue(connection, elapsed)) connection.socket.ping();
    }
    this.#pingedUpTo = elapsed;
  }

  /** Whether an interval, counted from when the connection was opened, has ended since the last beat. */
  #isPingDue({ openedAt }: Connection, elapsed: number): boolean {
    const interval = this.#limits.heartbeatSeconds * 1_000;
    const intervals = Math.trunc((elapsed - openedAt) / interval);
    return intervals > Math.trunc((this.#pingedUpTo - openedAt) / interval);
  }

  /** Does not count `ms` as silence of the clients. */
  #excuse(ms: number): void {
    for (const connection of this.#hub.connections()) connection.excuseSilence(ms);
  }
}
