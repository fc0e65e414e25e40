import type { Limits } from '../base/limits.ts';
import type { Load } from '../ports/directory.ts';

/** The share of its connections that a pod moves per second, unless REBALANCE_PER_SECOND is set. */
const SHARE = 0.03;

/** A pod with so many connections above the mean is not too full: single connections are not worth a move. */
const TRIFLE = 1;

/**
 * Seconds of rest after a pod has moved enough: clients on their way are on no pod for a while, so the mean looks lower
 * than it is.
 */
const REST = 15;

export type SurplusLimits = Pick<Limits, 'rebalancePercent' | 'rebalancePerSecond' | 'handshakesPerSecond'>;

/**
 * Decides each second how many connections a pod should move. It starts when the pod is more than `rebalancePercent`
 * above the mean of all pods, or when another pod is that far below the mean and this one above. It goes on until half
 * of that distance is left, so that it does not start and stop all the time.
 */
export class Surplus {
  readonly #limits: SurplusLimits;
  #isActive = false;
  /** The mean when it started. */
  #goal = 0;
  #rest = 0;
  /** What it may move by now; fractions of a connection add up. */
  #budget = 0;

  constructor(limits: SurplusLimits) {
    this.#limits = limits;
  }

  /** Must be called once a second. */
  next(own: number, others: readonly number[]): number {
    const { rebalancePercent, rebalancePerSecond, handshakesPerSecond } = this.#limits;
    const pods = others.length + 1;
    const mean = others.reduce((sum, count) => sum + count, own) / pods;
    const goal = this.#isActive ? Math.max(mean, this.#goal) : mean;
    const far = (goal * rebalancePercent) / (this.#isActive ? 200 : 100);
    const someIsEmpty = Math.min(...others) < goal - far - TRIFLE;
    const excess = own - TRIFLE - (someIsEmpty ? goal : goal * (1 + rebalancePercent / 200));
    const isFar = rebalancePercent > 0 && excess > 0 && (someIsEmpty || own - TRIFLE > goal + far);
    if (!this.#mayMove(isFar, goal)) return 0;
    // All other pods may move connections, and one pod may get all of them.
    const rate = Math.min(rebalancePerSecond ?? own * SHARE, handshakesPerSecond / pods);
    this.#budget = Math.min(this.#budget, 1) + rate;
    const count = Math.floor(Math.min(this.#budget, Math.ceil(excess)));
    this.#budget -= count;
    return count;
  }

  #mayMove(isFar: boolean, goal: number): boolean {
    if (this.#isActive && !isFar) this.#rest = REST;
    this.#rest -= 1;
    this.#isActive = isFar && this.#rest < 0;
    this.#goal = goal;
    if (!this.#isActive) this.#budget = 0;
    return this.#isActive;
  }
}

/**
 * Since when a connection is too young to be moved: a connection that came after the youngest pod got its share was
 * moved already, or had the choice of all pods. So one change of the pods moves no client twice, and moving ends
 * whatever the load balancer does.
 */
export function youngest(loads: readonly Load[]): number {
  return Math.max(...loads.map(({ since }) => since));
}
