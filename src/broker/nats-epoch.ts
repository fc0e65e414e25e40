import type { Clock } from '../core/ports/clock.ts';
import { ensureStream, type StreamPlan } from '../nats/streams.ts';
import type { Live } from '../nats/link.ts';
import type { Log } from '../core/ports/log.ts';
import { natsAway } from '../nats/answers.ts';

/** A server that has become the leader of a stream has all of it by then. */
const CATCH_UP_MS = 10_000;
/** The name of a history, and how often it has gone back. */
const FORM = /^([a-z0-9]{6,24})x(\d{1,6})$/;

interface Parts {
  readonly name: string;
  readonly times: number;
}

export interface EpochOptions {
  readonly plan: StreamPlan;
  /** Where the pods are told of another name. */
  readonly subject: string;
  readonly newName: () => string;
  readonly clock: Clock;
  readonly log: Log;
  /** Another history has begun. */
  readonly changed: () => void;
}

/**
 * Which history the stream holds: its name is in the stream's description. A stream that holds less than this pod has
 * seen of it went back (it was restored, or a disk lost what was acknowledged): then the positions of all pods are good
 * for nothing, and the history is given the next name, which any pod that finds out gives alike.
 */
export class Epoch {
  readonly #options: EpochOptions;
  #parts: Parts | undefined;
  /** The latest sequence that this pod has seen of it. */
  #seen = 0;
  /** Since when it has less, by `Clock.elapsed`. */
  #behindSince: number | undefined;

  constructor(options: EpochOptions) {
    this.#options = options;
  }

  /** Empty before the first greeting. */
  get name(): string {
    return this.#parts === undefined ? '' : written(this.#parts);
  }

  /** How often it has gone back. */
  get times(): number {
    return this.#parts?.times ?? 0;
  }

  /** The name that it had when it had gone back so often. */
  nameAt(times: number): string {
    return this.#parts === undefined ? '' : written({ ...this.#parts, times });
  }

  get seen(): number {
    return this.#seen;
  }

  saw(seq: number): void {
    if (seq > this.#seen) this.#seen = seq;
  }

  /** Makes sure that there is a stream and that its name is the right one. Raises what JetStream says. */
  async greet(live: Live): Promise<void> {
    const { plan, newName, subject } = this.#options;
    // More may come while the answer is on its way.
    const seen = this.#seen;
    const described = { ...plan, description: written({ name: newName(), times: 0 }) };
    const { config, state } = await ensureStream(live, described);
    const there = read(config.description) ?? { name: newName(), times: 0 };
    const isLess = this.#parts?.name === there.name && state.last_seq < seen;
    this.#requireCaughtUp(isLess);
    const goes = this.#next(there, isLess);
    if (written(goes) !== config.description) {
      await live.jsm.streams.update(plan.name, { description: written(goes) });
      // For pods that have not noticed.
      live.connection.publish(subject, written(goes));
    }
    if (written(goes) !== this.name) this.#begin(goes, state.last_seq);
  }

  /** Raises Away while the stream, which has less than was seen of it, may only be behind. */
  #requireCaughtUp(isLess: boolean): void {
    const { clock, plan } = this.#options;
    if (isLess && plan.replicas > 1) {
      this.#behindSince ??= clock.elapsed();
      if (clock.elapsed() - this.#behindSince < CATCH_UP_MS) throw natsAway('the history is behind');
    }
    this.#behindSince = undefined;
  }

  #next(there: Parts, isLess: boolean): Parts {
    const known = this.#parts;
    // One that nobody here knew: it was made anew.
    if (known?.name !== there.name || there.times > known.times) return there;
    const wentBack = there.times < known.times || isLess;
    return wentBack ? { name: known.name, times: known.times + 1 } : known;
  }

  #begin(parts: Parts, last: number): void {
    const isFirst = this.#parts === undefined;
    this.#parts = parts;
    this.#seen = last;
    if (isFirst) return;
    this.#options.log.warn({}, 'the history in NATS is another one; earlier positions are lost');
    this.#options.changed();
  }
}

function read(text = ''): Parts | undefined {
  const [, name, times] = FORM.exec(text) ?? [];
  return name === undefined ? undefined : { name, times: Number(times) };
}

function written({ name, times }: Parts): string {
  return `${name}x${times}`;
}
