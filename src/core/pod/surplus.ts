import type { Limits } from '../base/limits.ts';
import type { Load } from '../ports/directory.ts';

/** Of its connections a pod gives away in a second, where REBALANCE_PER_SECOND says nothing. */
const SHARE = 0.03;

/** Above the mean by so many a pod is never too full: single connections are nothing to move about. */
const TRIFLE = 1;

/**
 * Seconds without giving after it has given enough: those who were sent away are with nobody for a while, and the mean
 * seems to be lower than it is.
 */
const REST = 15;

export type SurplusLimits = Pick<Limits, 'rebalancePercent' | 'rebalancePerSecond' | 'handshakesPerSecond'>;

/**
 * Decides second by second how many connections a pod should give away. It begins when the pod has more than
 * `rebalancePercent` above the mean of all pods, or some pod has so much less than the mean and this one more; and
 * goes on until half of that is left, so that it does not stop and go.
 */
export class Surplus {
  readonly #limits: SurplusLimits;
  #sheds = false;
  /** The mean when it began. */
  #goal = 0;
  #rest = 0;
  /** What it may give away by now; less than one connection a second adds up. */
  #budget = 0;

  constructor(limits: SurplusLimits) {
    this.#limits = limits;
  }

  /** To be called once a second. */
  next(own: number, others: readonly number[]): number {
    const { rebalancePercent, rebalancePerSecond, handshakesPerSecond } = this.#limits;
    const pods = others.length + 1;
    const mean = others.reduce((sum, count) => sum + count, own) / pods;
    const goal = this.#sheds ? Math.max(mean, this.#goal) : mean;
    const far = (goal * rebalancePercent) / (this.#sheds ? 200 : 100);
    const someIsEmpty = Math.min(...others) < goal - far - TRIFLE;
    const excess = own - TRIFLE - (someIsEmpty ? goal : goal * (1 + rebalancePercent / 200));
    const isFar = rebalancePercent > 0 && excess > 0 && (someIsEmpty || own - TRIFLE > goal + far);
    if (!this.#mayGive(isFar, goal)) return 0;
    // All of them may give, and one may be given everything.
    const rate = Math.min(rebalancePerSecond ?? own * SHARE, handshakesPerSecond / pods);
    this.#budget = Math.min(this.#budget, 1) + rate;
    const count = Math.floor(Math.min(this.#budget, Math.ceil(excess)));
    this.#budget -= count;
    return count;
  }

  #mayGive(isFar: boolean, goal: number): boolean {
    if (this.#sheds && !isFar) this.#rest = REST;
    this.#rest -= 1;
    this.#sheds = isFar && this.#rest < 0;
    this.#goal = goal;
    if (!this.#sheds) this.#budget = 0;
    return this.#sheds;
  }
}

/**
 * From when on a connection is too young to be given away: who came after the youngest pod got its share has been
 * moved already, or had the choice of all. So nobody is moved twice for one change of the pods, and what is moved about
 * comes to an end whatever the balancer in front does.
 */
export function youngest(loads: readonly Load[]): number {
  return Math.max(...loads.map(({ since }) => since));
}
