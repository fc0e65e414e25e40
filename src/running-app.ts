import type { Admission } from './ws/admission.ts';
import type { Config } from './config.ts';
import type { Drain } from './core/pod/drain.ts';
import type { Gateway } from './core/commands/gateway.ts';
import type { Heartbeat } from './ws/heartbeat.ts';
import type { Pod } from './core/commands/pod.ts';
import type { Readiness } from './http/ops.ts';
import type { Rebalance } from './core/pod/rebalance.ts';
import type { Watermarks } from './core/pod/watermarks.ts';
import { pause } from './core/base/pause.ts';
import { receiverOf } from './core/commands/broker-receiver.ts';
import { logWhatStartWaitsFor } from './start-wait.ts';

/**
 * Since a drain began each answer has told that its connection ends. One on which nothing was asked for so long is in
 * no use, so that hardly any request comes just as it is closed.
 */
const LET_GO_MS = 5_000;

/** Something that is only to be ended. */
interface Stoppable {
  stop(): Promise<void>;
}

/** Where clients or operators come in: a server, or in a simulation nothing at all. */
export interface Listener {
  readonly listening: boolean;
  /** Resolves with the port once it is open; raises what the system says where that cannot be had. */
  open(port: number, host?: string): Promise<number>;
  /** Closes the connections on which nothing is asked; others are still let in. */
  closeIdle(): void;
  /** Lets nobody in any more; resolves once those who are in have been served. */
  close(): Promise<void>;
}

/** What app.ts has put together. */
export interface Parts {
  readonly pod: Pod;
  readonly gateway: Gateway;
  readonly admission: Admission;
  readonly watermarks: Watermarks;
  readonly heartbeat: Heartbeat;
  readonly drain: Drain;
  readonly rebalance: Rebalance;
  /** What has work to finish once nobody is connected any more. */
  readonly finishing: readonly (Stoppable | undefined)[];
  /** For clients and for operators. */
  readonly listeners: readonly [clients: Listener, operators: Listener];
}

/** One pod, put together and ready to run. */
export interface App {
  /**
   * Resolves once clients can connect, or somebody wanted it to end before; operators can at once. Raises what the system
   * says where a port cannot be had.
   */
  start(): Promise<void>;
  /** Sends every client to another pod (DRAIN_DELAY_SECONDS, DRAIN_WINDOW_SECONDS); resolves when that is over. */
  drain(): Promise<void>;
  /** Closes what is left with 1001 and resolves when all are gone, after five seconds at the latest. */
  stop(): Promise<void>;
  /** Closes every connection with 1001 now; for a process that ends without waiting for anything. */
  cutOff(): void;
}

/** The order in which the parts of a pod start and end. */
export class RunningApp implements App {
  readonly #config: Config;
  readonly #parts: Parts;
  #phase: Exclude<Readiness, 'degraded'> = 'starting';
  #started: Promise<void> = Promise.resolve();
  /** Resolves when somebody wants it to end. */
  readonly #unwanted = Promise.withResolvers<void>();

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
    await pod.directory.start(pod.hub);
    await pod.roster.start();
    await this.#reachEngine();
    // Nobody was served, and nobody shall be.
    if (this.#phase === 'draining') return;
    const ownPort = await clients.open(port, host);
    watermarks.start();
    heartbeat.start();
    rebalance.start();
    // Somebody may want it to end already.
    if (this.#phase === 'starting') this.#phase = 'ready';
    pod.log.info({ pod: pod.name, host, port: ownPort, opsPort }, 'ready');
  }

  /** A pod that cannot share what the others have leaves the clients to them, for a while. */
  async #reachEngine(): Promise<void> {
    const { pod } = this.#parts;
    const stopLogging = logWhatStartWaitsFor(pod, this.#config.values.START_WAIT_SECONDS);
    await Promise.race([pod.broker.start(receiverOf(pod)), this.#unwanted.promise]);
    stopLogging();
  }

  async drain(): Promise<void> {
    const { pod, admission, drain, rebalance, listeners } = this.#parts;
    const { DRAIN_DELAY_SECONDS, DRAIN_WINDOW_SECONDS } = this.#config.values;
    this.#phase = 'draining';
    this.#unwanted.resolve();
    await this.#started;
    // Nobody could come, and no proxy knows of it.
    if (!listeners[0].listening) return;
    rebalance.stop();
    await pause(pod.clock, DRAIN_DELAY_SECONDS * 1_000);
    admission.drain();
    pod.log.info({ pod: pod.name, connections: pod.hub.connectionCount }, 'draining');
    const letGoMs = Math.max(0, LET_GO_MS - DRAIN_DELAY_SECONDS * 1_000);
    void pause(pod.clock, letGoMs).then(() => listeners[0].closeIdle());
    await drain.run(DRAIN_WINDOW_SECONDS * 1_000);
  }

  async stop(): Promise<void> {
    const { pod, gateway, admission, watermarks, heartbeat, finishing, listeners } = this.#parts;
    const [clients, operators] = listeners;
    this.#phase = 'draining';
    admission.drain();
    heartbeat.stop();
    watermarks.stop();
    await gateway.closeAll();
    await clients.close();
    for (const part of [...finishing, pod.directory, pod.roster, pod.broker]) await this.#end(part);
    await operators.close();
    pod.log.info({ pod: pod.name }, 'stopped');
  }

  /** One that fails keeps none of the others from ending in order. */
  async #end(part: Stoppable | undefined): Promise<void> {
    try {
      await part?.stop();
    } catch (error) {
      this.#parts.pod.log.error({ err: error }, 'a part of the pod did not end in order');
    }
  }

  cutOff(): void {
    this.#parts.gateway.cutOff();
  }
}
