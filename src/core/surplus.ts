/** How many connections a pod has and when it came, in milliseconds since 1970. */
export interface Load {
  readonly connections: number;
  readonly since: number;
}

/** Above the mean by so many a pod is never too full: single connections are nothing to move about. */
const TRIFLE = 1;

/**
 * Decides second by second how many connections a pod should give away. It begins when the pod has more than
 * `percent` above the mean of all pods, and goes on until it has half of that, so that it does not stop and go.
 */
export class Surplus {
  readonly #percent: number;
  readonly #perSecond: number | undefined;
  #sheds = false;
  /** What it may give away by now; less than one connection a second adds up. */
  #budget = 0;

  /** `perSecond` undefined: a hundredth of its connections. Either at 0: nothing, ever. */
  constructor(percent: number, perSecond: number | undefined) {
    this.#percent = percent;
    this.#perSecond = perSecond;
  }

  /** To be called once a second. */
  next(own: number, others: readonly number[]): number {
    const mean = others.reduce((sum, count) => sum + count, own) / (others.length + 1);
    const beyond = (percent: number): number => own - TRIFLE - mean * (1 + percent / 100);
    this.#sheds = this.#percent > 0 && beyond(this.#sheds ? this.#percent / 2 : this.#percent) > 0;
    if (!this.#sheds) {
      this.#budget = 0;
      return 0;
    }
    const rate = this.#perSecond ?? own / 100;
    this.#budget = Math.min(this.#budget, 1) + rate;
    const count = Math.floor(Math.min(this.#budget, Math.ceil(beyond(this.#percent / 2))));
    this.#budget -= count;
    return count;
  }
}

/**
 * From when on a connection is too young to be given away: who came after the youngest pod was there has been moved
 * already, or had the choice of all. So nobody is moved twice for one change of the pods, and what is moved about
 * comes to an end whatever the balancer in front does.
 */
export function youngest(loads: readonly Load[]): number {
  return Math.max(...loads.map(({ since }) => since));
}
