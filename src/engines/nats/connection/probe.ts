import { every } from '../../../core/base/every.ts';
import type { Clock } from '../../../core/ports/clock.ts';
import type { Log } from '../../../core/ports/log.ts';
import type { Names } from './names.ts';
import type { NatsLink } from './link.ts';

/** How often a pod publishes to itself. */
const EVERY_MS = 3_000;
/** If a probe has not come back after so long, other messages do not come either. */
const LATE_MS = 5_000;

export interface ProbeOptions {
  readonly link: NatsLink;
  readonly names: Names;
  readonly pod: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Checks that this pod still receives what is published. NATS may answer requests although subscriptions are dead. */
export class Probe {
  readonly #options: ProbeOptions;
  /** Ends the wait for the probe in flight. */
  #cancel: (() => void) | undefined;
  /** How often the pod reconnected because its subscriptions were dead. */
  revivals = 0;

  constructor(options: ProbeOptions) {
    this.#options = options;
    const { link, names, pod } = options;
    link.subscribe(names.subject('probe', pod), () => this.#back());
    link.whenUp(() => this.#back());
  }

  start(): void {
    const { clock, link, names, pod } = this.#options;
    every(clock, EVERY_MS, () => {
      if (link.up && this.#cancel === undefined) {
        this.#cancel = clock.after(LATE_MS, () => this.#dead());
        link.publish(names.subject('probe', pod), '');
      }
    });
  }

  #dead(): void {
    this.#cancel = undefined;
    const { link, log } = this.#options;
    if (!link.up) return;
    this.revivals += 1;
    log.warn({}, 'the subscriptions to NATS are dead; the pod reconnects');
    link.reconnect('its subscriptions are dead');
  }

  #back(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
