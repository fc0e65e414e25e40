import { type Composed, compose } from '../../../src/compose.ts';
import type { Config } from '../../../src/config.ts';
import { type Kernel, Strand } from '../kernel/kernel.ts';
import type { Log } from '../../../src/core/ports/log.ts';
import type { Platform } from '../../../src/platform.ts';
import { randomFor } from '../kernel/seed.ts';
import { type Listener, RunningApp } from '../../../src/running-app.ts';
import { textFramer } from './pod-end.ts';

/** How grave a line of a pod's log is, and what it says. */
export interface LogLine {
  readonly time: number;
  readonly pod: string;
  readonly level: keyof Log;
  readonly text: string;
  /** Redis, or a part of it, was away from the pod then. */
  readonly isAlone: boolean;
}

export interface SimulatedPodOptions {
  readonly kernel: Kernel;
  readonly seed: string;
  /** No other pod has it, also not one that takes its place. */
  readonly name: string;
  readonly config: Config;
  readonly log: (line: LogLine) => void;
}

/** A whole pod as the product composes it, with a clock, random numbers and names of its own. */
export class SimulatedPod {
  readonly name: string;
  readonly strand: Strand;
  readonly config: Config;
  readonly #options: SimulatedPodOptions;
  #parts: Composed | undefined;
  #app: RunningApp | undefined;
  /** Whether clients are let in. */
  open = false;
  /** It ended, or is about to. */
  ending = false;

  constructor(options: SimulatedPodOptions) {
    const { name, config } = options;
    this.#options = options;
    this.name = name;
    this.config = config;
    this.strand = new Strand(name);
  }

  get parts(): Composed | undefined {
    return this.#parts;
  }

  /** As `/readyz` says it; `gone` once the process has ended. */
  get readiness(): string {
    if (this.strand.dead) return 'gone';
    return this.#app?.readiness ?? 'starting';
  }

  start(): void {
    this.#do('start', async () => {
      const { config, strand } = this;
      const parts = await compose(config, {
        log: this.#log(),
        platform: this.#platform(),
        tracer: undefined,
        framer: textFramer,
      });
      this.#parts = parts;
      this.#app = new RunningApp(config, { ...parts, listeners: [this.#clients(), NO_LISTENER] });
      if (!strand.dead) await this.#app.start();
    });
  }

  /** As after SIGTERM; calls `ended` when the process would exit. */
  drain(ended: () => void): void {
    this.ending = true;
    this.#do('drain', async () => {
      await this.#app?.drain();
      await this.#app?.stop();
      ended();
    });
  }

  #do(what: string, task: () => Promise<void>): void {
    const { kernel } = this.#options;
    const failed = (error: unknown): void => this.#note('error', `${what} failed: ${String(error)}`);
    kernel.after(0, this.strand, () => void task().catch(failed));
  }

  #clients(): Listener {
    const setOpen = (open: boolean): Promise<number> => {
      this.open = open;
      return Promise.resolve(1);
    };
    const isOpen = (): boolean => this.open;
    return {
      get listening() {
        return isOpen();
      },
      open: () => setOpen(true),
      closeIdle: () => undefined,
      close: async () => void (await setOpen(false)),
    };
  }

  #platform(): Platform {
    const { kernel, seed, name } = this.#options;
    const { strand } = this;
    const random = randomFor(seed, name);
    const newName = (): string => random.bytes(6).toString('hex');
    const tag = newName();
    let connections = 0;
    let messages = 0;
    return {
      clock: {
        now: () => Math.floor(kernel.now(strand)),
        elapsed: () => kernel.time,
        after: (ms, task) => {
          const planned = kernel.after(Math.max(1, Math.trunc(ms)), strand, task);
          return () => {
            planned.cancelled = true;
          };
        },
      },
      random: () => random.next(),
      ids: {
        connection: () => `${name}c${(connections += 1)}`,
        ephemeral: () => `${tag}~${(messages += 1).toString(36)}`,
      },
      newName,
      host: name,
      pressure: { memory: () => 0, lagMs: () => 0 },
      heapLimitBytes: 268_435_456,
    };
  }

  #log(): Log {
    const at =
      (level: keyof Log) =>
      (fields: object, message: string): void => {
        const { err } = fields as { err?: Error };
        const cause = err === undefined ? JSON.stringify(fields) : String(err);
        this.#note(level, `${message} ${cause}`);
      };
    return { debug: () => undefined, info: at('info'), warn: at('warn'), error: at('error') };
  }

  #note(level: keyof Log, text: string): void {
    const { kernel, log } = this.#options;
    const isAlone = this.#parts?.pod.broker.available === false;
    log({ time: kernel.time, pod: this.name, level, text, isAlone });
  }
}

/** What nobody comes through. */
const NO_LISTENER: Listener = {
  listening: false,
  open: () => Promise.resolve(0),
  closeIdle: () => undefined,
  close: () => Promise.resolve(),
};
