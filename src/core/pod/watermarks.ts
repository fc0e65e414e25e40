import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { every } from '../base/every.ts';

/** How loaded the process is. */
export interface Pressure {
  /** The share of the permitted memory that is in use, from 0 to 1. */
  memory(): number;
  /** The mean lag of the event loop since the last call, in milliseconds. */
  lagMs(): number;
}

const TICK_MS = 1_000;

/** Above `high` the pod refuses new connections; below `low` it accepts them again. */
interface Mark {
  readonly high: number;
  readonly low: number;
}
const MEMORY: Mark = { high: 0.9, low: 0.85 };
const LAG_MS: Mark = { high: 100, low: 50 };

/**
 * Checks once a second whether the pod can accept more connections without harm to those it has. A new connection
 * costs most at its start (token, history, member list), and many come at once just when pods are few.
 */
export class Watermarks {
  readonly #pressure: Pressure;
  readonly #clock: Clock;
  readonly #log: Log;
  #lagBefore = 0;
  #cancel: () => void = () => undefined;
  /** Whether too little memory is left. */
  memory = false;
  /** Whether the event loop lags. */
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
    // A single stall, however long, is over when it is noticed.
    const lagMs = Math.min(lag, this.#lagBefore);
    this.#lagBefore = lag;
    const before = this.exceeded;
    this.memory = isAbove(memory, MEMORY, this.memory);
    this.eventLoop = isAbove(lagMs, LAG_MS, this.eventLoop);
    if (this.exceeded === before) return;
    const fields = { memory: round(memory), lagMs: round(lagMs) };
    if (before) this.#log.info(fields, 'this pod accepts new connections again');
    else this.#log.warn(fields, 'this pod is overloaded and refuses new connections');
  }
}

function isAbove(value: number, { high, low }: Mark, was: boolean): boolean {
  return value > (was ? low : high);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
