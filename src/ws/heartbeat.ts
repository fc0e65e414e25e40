import { CLOSE } from '../protocol/close-codes.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Connection } from '../core/delivery/connection.ts';
import type { Hub } from '../core/pod/hub.ts';
import type { Limits } from '../core/base/limits.ts';
import { every } from '../core/base/every.ts';

const TICK_MS = 1_000;
/** A beat that is late by more tells of the pod, not of its clients. */
const LATE_MS = 1_000;

/**
 * Pings every connection each HEARTBEAT_SECONDS and closes those from which nothing, not even the answer, came for
 * HEARTBEAT_TIMEOUT_SECONDS, and those whose token has ended. One timer serves all; a connection's pings fall on the
 * second at which it came.
 */
export class Heartbeat {
  readonly #hub: Hub;
  readonly #clock: Clock;
  readonly #limits: Limits;
  #tick = 0;
  /** The tick at which a connection's next ping is due. */
  readonly #pingDue = new WeakMap<Connection, number>();
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
    this.#cancel = every(this.#clock, TICK_MS, () => {
      this.#beat();
      this.#beatAt = this.#clock.elapsed();
    });
  }

  stop(): void {
    this.#cancel();
  }

  #beat(): void {
    this.#tick += 1;
    const [now, elapsed] = [this.#clock.now(), this.#clock.elapsed()];
    const late = elapsed - this.#beatAt - TICK_MS;
    // While this process was held up it asked nobody and heard nobody.
    if (late > LATE_MS) this.#excuse(late);
    const silentSince = elapsed - this.#limits.heartbeatTimeoutSeconds * 1_000;
    for (const connection of this.#hub.connections()) {
      const { expiresAt } = connection;
      if (expiresAt !== undefined && expiresAt <= now) connection.close(CLOSE.tokenEnded);
      else if (connection.lastHeard <= silentSince) connection.close(CLOSE.noHeartbeat);
      else this.#pingWhenDue(connection);
    }
  }

  #pingWhenDue(connection: Connection): void {
    const due = this.#pingDue.get(connection);
    if (due !== undefined && due > this.#tick) return;
    // A connection that has just come is not pinged before its first interval is over.
    if (due !== undefined) connection.socket.ping();
    this.#pingDue.set(connection, this.#tick + this.#limits.heartbeatSeconds);
  }

  /** Does not count so many milliseconds as silence of the clients. */
  #excuse(ms: number): void {
    for (const connection of this.#hub.connections()) connection.excuseSilence(ms);
  }
}
