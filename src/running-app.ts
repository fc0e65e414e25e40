import type { Admission } from './ws/admission.ts';
import type { Config } from './config.ts';
import type { Drain } from './core/pod/drain.ts';
import type { Gateway } from './core/commands/gateway.ts';
import type { Heartbeat } from './ws/heartbeat.ts';
import type { Pod } from './core/commands/pod.ts';
import type { Readiness } from './http/ops.ts';
import type { Rebalance } from './core/pod/rebalance.ts';
import type { Watermarks } from './core/pod/watermarks.ts';
import { deny } from './core/commands/deny.ts';
import { answererOf } from './core/commands/questions.ts';
import { pause } from './core/base/pause.ts';
import { receiverOf } from './core/commands/broker-receiver.ts';
import { logWhatStartWaitsFor } from './start-wait.ts';

/**
 * How long after the start of a drain idle HTTP connections are closed. Each answer during the drain asks the client to
 * close its connection, so a connection idle for this long is unlikely to carry another request.
 */
const CLOSE_IDLE_AFTER_MS = 5_000;

interface Stoppable {
  stop(): Promise<void>;
}

/** Accepts the connections of clients or operators: an HTTP server, or a stub in a simulation. */
export interface Listener {
  readonly listening: boolean;
  /** Resolves with the port. Raises the system's error if the port is not available. */
  open(port: number, host?: string): Promise<number>;
  /** Closes idle connections; new ones are still accepted. */
  closeIdle(): void;
  /** Accepts no more connections. Resolves when all requests are answered. */
  close(): Promise<void>;
}

/** The parts of a pod, created by compose.ts and app.ts. */
export interface Parts {
  readonly pod: Pod;
  readonly gateway: Gateway;
  readonly admission: Admission;
  readonly watermarks: Watermarks;
  readonly heartbeat: Heartbeat;
  readonly drain: Drain;
  readonly rebalance: Rebalance;
  /** Parts that finish their work after the last connection is closed. */
  readonly finishing: readonly (Stoppable | undefined)[];
  /** Ends last: the broker stores waiting publications while it stops, and they are reported too. */
  readonly reporting: Stoppable | undefined;
  readonly listeners: readonly [clients: Listener, operators: Listener];
}

/** One pod. */
export interface App {
  /**
   * Resolves when clients can connect, or when a drain began before that. Operators can connect at once. Raises the
   * system's error if a port is not available.
   */
  start(): Promise<void>;
  /** Sends every client to another pod (DRAIN_DELAY_SECONDS, DRAIN_WINDOW_SECONDS). Resolves when that is done. */
  drain(): Promise<void>;
  /** Closes the remaining connections with 1001. Resolves when all are closed, after five seconds at the latest. */
  stop(): Promise<void>;
  /** Closes every connection with 1001 and does not wait. */
  cutOff(): void;
}

/** Starts and ends the parts of a pod in order. */
export class RunningApp implements App {
  readonly #config: Config;
  readonly #parts: Parts;
  #phase: Exclude<Readiness, 'degraded'> = 'starting';
  #started: Promise<void> = Promise.resolve();
  /** Resolves when a drain begins. */
  readonly #drainBegan = Promise.withResolvers<void>();

  constructor(config: Config, parts: Parts) {
    this.#config = config;
    this.#parts = parts;
  }

  get readiness(): Readiness {
    const { broker } = this.#parts.pod;
    const isWhole = broker.available && (broker.troubles?.() ?? []).length === 0;
    return this.#phase === 'ready' && !isWhole ? 'degraded' : this.#phase;
  }

  start(): Promise<void> {
    this.#started = this.#start();
    return this.#started;
  }

  async #start(): Promise<void> {
    const { pod, watermarks, heartbeat, rebalance, listeners } = this.#parts;
    const { host, port, values } = this.#config;
    const [clients, operators] = listeners;
    const opsPort = await operators.open(values.OPS_PORT);
    pod.rules.start(() => pod.roster.rulesChanged());
    await pod.directory.start(pod.hub, answererOf(pod));
    await pod.roster.start();
    pod.denylist.start((denial) => deny(pod, denial));
    await this.#reachEngine();
    // A client that is blocked must not get in before this pod knows the list.
    await pod.denylist.refreshed();
    // The drain began before any client was served.
    if (this.#phase === 'draining') return;
    const ownPort = await clients.open(port, host);
    watermarks.start();
    heartbeat.start();
    rebalance.start();
    // A drain may have begun meanwhile.
    if (this.#phase === 'starting') this.#phase = 'ready';
    pod.log.info({ pod: pod.name, host, port: ownPort, opsPort }, 'ready');
  }

  /** Waits for the engine, for START_WAIT_SECONDS at most: meanwhile other pods serve the clients. */
  async #reachEngine(): Promise<void> {
    const { pod } = this.#parts;
    const stopLogging = logWhatStartWaitsFor(pod, this.#config.values.START_WAIT_SECONDS);
    await Promise.race([pod.broker.start(receiverOf(pod)), this.#drainBegan.promise]);
    stopLogging();
  }

  async drain(): Promise<void> {
    const { pod, admission, drain, rebalance, listeners } = this.#parts;
    const { DRAIN_DELAY_SECONDS, DRAIN_WINDOW_SECONDS } = this.#config.values;
    this.#phase = 'draining';
    this.#drainBegan.resolve();
    await this.#started;
    // No client could connect to this pod, so there is nothing to drain.
    if (!listeners[0].listening) return;
    rebalance.stop();
    await pause(pod.clock, DRAIN_DELAY_SECONDS * 1_000);
    admission.drain();
    pod.log.info({ pod: pod.name, connections: pod.hub.connectionCount }, 'draining');
    const closeIdleMs = Math.max(0, CLOSE_IDLE_AFTER_MS - DRAIN_DELAY_SECONDS * 1_000);
    void pause(pod.clock, closeIdleMs).then(() => listeners[0].closeIdle());
    await drain.run(DRAIN_WINDOW_SECONDS * 1_000);
  }

  async stop(): Promise<void> {
    const { pod, gateway, admission, watermarks, heartbeat, finishing, reporting, listeners } = this.#parts;
    const [clients, operators] = listeners;
    this.#phase = 'draining';
    admission.drain();
    heartbeat.stop();
    watermarks.stop();
    await gateway.closeAll();
    pod.denylist.stop();
    await clients.close();
    pod.rules.stop();
    for (const part of [...finishing, pod.directory, pod.roster, pod.broker, reporting])
      await this.#end(part);
    await operators.close();
    pod.log.info({ pod: pod.name }, 'stopped');
  }

  /** Logs a failure, so that the other parts still end in order. */
  async #end(part: Stoppable | undefined): Promise<void> {
    try {
      await part?.stop();
    } catch (error) {
      this.#parts.pod.log.error({ err: error }, 'a part of the pod failed to stop');
    }
  }

  cutOff(): void {
    this.#parts.gateway.cutOff();
  }
}
