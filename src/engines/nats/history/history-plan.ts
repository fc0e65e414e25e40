import type { HistoryLimits } from '../../../core/ports/room-rules.ts';
import type { Names } from '../connection/names.ts';
import type { StreamPlan } from '../connection/streams.ts';
import { CLAIM_MS, POSITION_MS } from '../../shared/terms.ts';

export interface HistoryPlanOptions {
  readonly names: Names;
  readonly replicas: number;
  /** The largest limits of all rooms, as of now. */
  readonly widest: () => HistoryLimits;
}

/**
 * The settings of the stream that holds the history. It must hold what the widest room may have. While this pod runs,
 * its settings only grow: pods whose rules are newer, or older, may need more.
 */
export class HistoryPlan {
  readonly #options: HistoryPlanOptions;
  /** The limits that the stream was given last. */
  #given: HistoryLimits = { historySize: 0, historyTtlMs: 0 };

  constructor(options: HistoryPlanOptions) {
    this.#options = options;
  }

  /** So many messages of a room the stream stores, as far as this pod knows. */
  get perSubject(): number {
    // One more than a reader gets: it tells whether messages before the page were trimmed.
    return this.#given.historySize + 1;
  }

  /** Other rules are in force, which need a larger stream. */
  get isOutgrown(): boolean {
    const { historySize, historyTtlMs } = this.#options.widest();
    return historySize > this.#given.historySize || historyTtlMs > this.#given.historyTtlMs;
  }

  /** The settings that the rules of now need. The caller gives them to the stream. */
  next(): StreamPlan {
    const { names, replicas, widest } = this.#options;
    const { historySize, historyTtlMs } = widest();
    this.#given = {
      historySize: Math.max(historySize, this.#given.historySize),
      historyTtlMs: Math.max(historyTtlMs, this.#given.historyTtlMs),
    };
    return {
      name: names.stream('history'),
      subjects: [names.subject('history', '*')],
      replicas,
      maxAgeMs: this.#given.historyTtlMs + POSITION_MS,
      perSubject: this.perSubject,
      duplicatesMs: CLAIM_MS,
      republish: { src: names.subject('history', '>'), dest: names.subject('room', '>') },
    };
  }

  /** Runs `enlarge` with the next settings. If it raises, the stream still counts as outgrown. */
  async enlarge(enlarge: (plan: StreamPlan) => Promise<unknown>): Promise<void> {
    const before = this.#given;
    try {
      await enlarge({ ...this.next(), growsOnly: true });
    } catch (error) {
      this.#given = before;
      throw error;
    }
  }
}
