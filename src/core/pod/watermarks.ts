import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { every } from '../base/every.ts';

/** How hard the process is pressed. */
export interface Pressure {
  /** How much of the memory it may have is in use, from 0 to 1. */
  memory(): number;
  /** By how many milliseconds the event loop came round too late, on average since this was last asked. */
  lagMs(): number;
}

const TICK_MS = 1_000;

/** Above `high` no more are let in; below `low` they are again. */
interface Mark {
  readonly high: number;
  readonly low: number;
}
const MEMORY: Mark = { high: 0.9, low: 0.85 };
const LAG_MS: Mark = { high: 100, low: 50 };

/**
 * Looks once a second whether the pod can take more connections without harm to those it has. A new connection costs
 * most at its beginning (a token, history, members), and a storm of them comes just when pods are few.
 */
export class Watermarks {
  readonly #pressure: Pressure;
  readonly #clock: Clock;
  readonly #log: Log;
  #lagBefore = 0;
  #cancel: () => void = () => undefined;
  /** Too little memory is left. */
  memory = false;
  /** The event loop is too slow. */
  eventLoop = false;

  constructor(pressure: Pressure, clock: Clock, log: Log) {
    this.#pressure = pressure;
    this.#clock = clock;
    this.#log = log;
  }

  get exceeded(): boolean {
    return this.memory || this.eventLoop;
  }

  start(): void {
    this.#cancel = every(this.#clock, TICK_MS, () => this.#look());
  }

  stop(): void {
    this.#cancel();
  }

  #look(): void {
    const [memory, lag] = [this.#pressure.memory(), this.#pressure.lagMs()];
    // A single stall, however long, is over when it is seen.
    const lagMs = Math.min(lag, this.#lagBefore);
    this.#lagBefore = lag;
    const before = this.exceeded;
    this.memory = isAbove(memory, MEMORY, this.memory);
    this.eventLoop = isAbove(lagMs, LAG_MS, this.eventLoop);
    if (this.exceeded === before) return;
    const fields = { memory: round(memory), lagMs: round(lagMs) };
    if (before) this.#log.info(fields, 'new connections are taken again');
    else this.#log.warn(fields, 'this pod is overloaded and takes no new connections');
  }
}

function isAbove(value: number, { high, low }: Mark, was: boolean): boolean {
  return value > (was ? low : high);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
