import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Surplus, youngest } from '../../../src/core/pod/surplus.ts';

function surplusOf(
  rebalancePercent: number,
  rebalancePerSecond?: number,
  handshakesPerSecond = 10_000,
): Surplus {
  return new Surplus({ rebalancePercent, rebalancePerSecond, handshakesPerSecond });
}

describe('A pod gives connections away', () => {
  test.each([
    ['nobody else is there', 100, [], 0],
    ['all have the same', 100, [100, 100], 0],
    ['it has little more than the others', 118, [91, 91], 0],
    ['it has fewer', 10, [100, 100], 0],
    ['one or two are all there are', 2, [0], 0],
  ])('not while %s', (_, own, others, count) => {
    expect(surplusOf(20, 1_000).next(own, others)).toBe(count);
  });

  test('down to half of what is allowed above the mean, not to its edge', () => {
    const surplus = surplusOf(20, 1_000);
    expect(surplus.next(130, [90, 90, 90])).toBe(130 - 1 - 110);
    expect(surplus.next(111, [97, 96, 96])).toBe(0);
  });

  test('also if it has little more than the mean, where another has far less, down to the mean', () => {
    expect(surplusOf(20, 1_000).next(100, [...Array<number>(10).fill(100), 0])).toBe(8);
    const surplus = surplusOf(20, 1_000);
    expect(surplus.next(100, [100, 100, 100, 100, 0])).toBe(100 - 1 - 83);
    expect(surplus.next(85, [85, 85, 85, 85, 75])).toBe(0);
    expect(surplusOf(20, 1_000).next(50, [100, 100, 0])).toBe(0);
  });

  test('together with all others no more than one pod takes', () => {
    expect(surplusOf(20, undefined, 500).next(10_000, [...Array<number>(19).fill(10_000), 0])).toBe(23);
  });

  test('no faster than it may, and less than one a second adds up', () => {
    const surplus = surplusOf(20, 0.5);
    expect(Array.from({ length: 10 }, () => surplus.next(100, [0]))).toEqual([0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
    expect(surplusOf(20).next(1_000, [0])).toBe(30);
  });

  test.each([
    [0, 10],
    [20, 0],
  ])('never with REBALANCE_PERCENT=%i and REBALANCE_PER_SECOND=%i', (percent, perSecond) => {
    const surplus = surplusOf(percent, perSecond);
    for (let second = 0; second < 100; second += 1) expect(surplus.next(10_000, [0, 0])).toBe(0);
  });
});

/** How a balancer chooses a pod, given how many connections each has. */
type Balancer = (counts: readonly number[], turn: number, random: () => number) => number;

const BALANCERS: Readonly<Record<string, Balancer>> = {
  'round robin': (counts, turn) => turn % counts.length,
  'least connections': (counts) => counts.indexOf(Math.min(...counts)),
  'at random': (counts, _, random) => Math.floor(random() * counts.length),
  'always the first': () => 0,
};

/** As long as a pod waits for its share, and as a balancer may take to notice it. */
const SETTLE_SECONDS = 10;

interface SimulatedPod {
  readonly since: number;
  /** From then on the balancer sends it connections. */
  readonly known: number;
  readonly surplus: Surplus;
  /** When each of its connections came. */
  connections: { since: number; moves: number }[];
}

/** Pods behind a balancer, second by second; the counts that pods know of each other are some seconds old. */
class Simulation {
  /** For how long whoever is moved is with nobody. */
  readonly #awaySeconds: number;
  readonly #balancer: Balancer;
  readonly #random: () => number;
  readonly #rate: number;
  #pods: SimulatedPod[] = [];
  #travellers: { until: number; moves: number }[] = [];
  #known: number[][] = [];
  #now = 0;
  #turn = 0;
  moves = 0;

  constructor(balancer: Balancer, rate: number, random: () => number, awaySeconds = 0) {
    this.#balancer = balancer;
    this.#awaySeconds = awaySeconds;
    this.#rate = rate;
    this.#random = random;
  }

  get counts(): number[] {
    return this.#pods.map(({ connections }) => connections.length);
  }

  get mostMoved(): number {
    return Math.max(0, ...this.#pods.flatMap(({ connections }) => connections.map(({ moves }) => moves)));
  }

  comes(): void {
    const since = this.#now + SETTLE_SECONDS;
    const known = this.#now + Math.floor(this.#random() * (SETTLE_SECONDS + 1));
    this.#pods.push({ since, known, surplus: surplusOf(20, this.#rate), connections: [] });
    this.#known = [];
    for (const { connections } of this.#pods) for (const one of connections) one.moves = 0;
    for (const one of this.#travellers) one.moves = 0;
  }

  goes(index = Math.floor(this.#random() * this.#pods.length)): void {
    if (this.#pods.length < 2) return;
    const gone = this.#pods.splice(index, 1);
    this.#known = [];
    for (const one of gone.flatMap(({ connections }) => connections)) this.#connect(one.moves);
  }

  connect(count: number): void {
    for (let n = 0; n < count; n += 1) this.#connect(0);
  }

  passes(seconds: number): void {
    for (let second = 0; second < seconds; second += 1) {
      this.#now += 1;
      this.#arrive();
      this.#known = [this.counts, ...this.#known].slice(0, 3);
      const known = this.#known.at(-1) ?? this.counts;
      const limit = youngest(this.#pods.map(({ since }) => ({ since, connections: 0 })));
      if (this.#now < limit) continue;
      for (const [index, pod] of this.#pods.entries()) this.#sheds(pod, known.toSpliced(index, 1), limit);
    }
  }

  #sheds(pod: SimulatedPod, others: number[], limit: number): void {
    const count = pod.surplus.next(pod.connections.length, others);
    const old = pod.connections.filter(({ since }) => since < limit).slice(0, count);
    pod.connections = pod.connections.filter((one) => !old.includes(one));
    this.moves += old.length;
    for (const { moves } of old) {
      this.#travellers.push({ until: this.#now + this.#awaySeconds, moves: moves + 1 });
    }
    if (this.#awaySeconds === 0) this.#arrive();
  }

  #arrive(): void {
    const arrived = this.#travellers.filter(({ until }) => until <= this.#now);
    this.#travellers = this.#travellers.filter(({ until }) => until > this.#now);
    for (const { moves } of arrived) this.#connect(moves);
  }

  #connect(moves: number): void {
    const known = this.#pods.filter((pod) => pod.known <= this.#now);
    const pods = known.length === 0 ? this.#pods : known;
    const counts = pods.map(({ connections }) => connections.length);
    const index = this.#balancer(counts, (this.#turn += 1), this.#random);
    pods[index]?.connections.push({ since: this.#now, moves });
  }
}

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** As few as one a second, and more than all there are at once. */
const RATE = fc.oneof(fc.integer({ min: 1, max: 50 }), fc.constant(1_000));

describe.each(Object.entries(BALANCERS))('Behind a balancer that chooses %s', (name, balancer) => {
  test('pods that come fill up, and then all is still', () => {
    const it = new Simulation(balancer, 5, seeded(1));
    it.comes();
    it.comes();
    it.passes(SETTLE_SECONDS);
    it.connect(500);
    it.passes(10);
    expect(it.moves).toBe(0);
    it.comes();
    it.comes();
    it.passes(300);
    const { moves } = it;
    it.passes(1_000);
    expect(it.moves).toBe(moves);
    expect(it.mostMoved).toBeLessThanOrEqual(1);
    if (name === 'always the first') return;
    for (const count of it.counts) expect(Math.abs(count - 125)).toBeLessThanOrEqual(25 + 1);
  });

  test('whatever comes and goes, it comes to rest, and nobody is moved twice for one change', () => {
    const steps = fc.array(
      fc.oneof(
        fc.constant((it: Simulation) => it.comes()),
        fc.constant((it: Simulation) => it.goes()),
        fc.nat(200).map((count) => (it: Simulation) => it.connect(count)),
        fc.nat(60).map((seconds) => (it: Simulation) => it.passes(seconds)),
      ),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(steps, fc.integer(), RATE, fc.nat(10), (steps, seed, rate, awaySeconds) => {
        const it = new Simulation(balancer, rate, seeded(seed), awaySeconds);
        it.comes();
        for (const step of steps) {
          step(it);
          expect(it.mostMoved).toBeLessThanOrEqual(1);
        }
        it.passes(3_000);
        const { moves } = it;
        it.passes(500);
        expect(it.moves).toBe(moves);
      }),
      { numRuns: 30 },
    );
  });

  test('pods that are replaced one by one end up alike, and each is moved once at most for each of them', () => {
    for (const rate of [1, 10, 1_000]) {
      const it = new Simulation(balancer, rate, seeded(3), 2);
      for (let n = 0; n < 4; n += 1) it.comes();
      it.connect(800);
      for (let n = 0; n < 4; n += 1) {
        it.passes(30);
        it.comes();
        it.passes(30);
        it.goes(0);
        expect(it.mostMoved).toBeLessThanOrEqual(1);
      }
      it.passes(3_000);
      const { moves } = it;
      it.passes(500);
      expect(it.moves).toBe(moves);
      expect(it.mostMoved).toBeLessThanOrEqual(1);
      if (name !== 'always the first') expect(Math.max(...it.counts)).toBeLessThanOrEqual(200 * 1.2 + 1);
    }
  });
});

describe('Balancers that choose by', () => {
  test.each(['round robin', 'least connections'])(
    '%s fill a single new pod, however many there were',
    (name) => {
      for (const before of [1, 2, 4, 5, 10, 20]) {
        const it = new Simulation(BALANCERS[name] ?? (() => 0), 5, seeded(before), 1);
        for (let n = 0; n < before; n += 1) it.comes();
        it.passes(SETTLE_SECONDS);
        it.connect(100 * before);
        it.comes();
        it.passes(500);
        const mean = (100 * before) / (before + 1);
        for (const count of it.counts)
          expect(Math.abs(count - mean), `${before} pods`).toBeLessThanOrEqual(mean * 0.2 + 1);
      }
    },
  );

  test.each(['round robin', 'least connections'])(
    '%s leave no pod too full, however many are on their way meanwhile',
    (name) => {
      const sizes = fc.integer({ min: 1, max: 8 });
      fc.assert(
        fc.property(sizes, sizes, RATE, fc.nat(10), fc.integer(), (before, come, rate, awaySeconds, seed) => {
          const it = new Simulation(BALANCERS[name] ?? (() => 0), rate, seeded(seed), awaySeconds);
          for (let n = 0; n < before; n += 1) it.comes();
          it.passes(SETTLE_SECONDS);
          it.connect(100 * before);
          it.passes(10);
          for (let n = 0; n < come; n += 1) it.comes();
          it.passes(500);
          expect(it.counts.reduce((sum, count) => sum + count, 0)).toBe(100 * before);
          // At most one more than 1.2 times the mean, in whole numbers: the same divided is a little less.
          expect((Math.max(...it.counts) - 1) * (before + come)).toBeLessThanOrEqual(120 * before);
        }),
        { numRuns: 30 },
      );
    },
  );
});
