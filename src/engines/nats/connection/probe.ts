import type { Clock } from '../../../core/ports/clock.ts';
import type { Log } from '../../../core/ports/log.ts';
import type { Names } from './names.ts';
import type { NatsLink } from './link.ts';

/** How often a pod says something to itself. */
const EVERY_MS = 3_000;
/** What has not come back for so long means that nothing else comes either. */
const LATE_MS = 5_000;

export interface ProbeOptions {
  readonly link: NatsLink;
  readonly names: Names;
  readonly pod: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Finds out whether this pod still hears what is said, also where NATS answers whatever it is asked. */
export class Probe {
  readonly #options: ProbeOptions;
  /** Ends the wait for the one under way. */
  #cancel: (() => void) | undefined;
  /** How often the subscriptions were found dead and made anew. */
  revivals = 0;

  constructor(options: ProbeOptions) {
    this.#options = options;
    const { link, names, pod } = options;
    link.subscribe(names.subject('probe', pod), () => this.#forget());
    link.whenUp(() => this.#forget());
  }

  start(): void {
    const { clock, link, names, pod } = this.#options;
    clock.after(EVERY_MS, () => {
      if (link.up && this.#cancel === undefined) {
        this.#cancel = clock.after(LATE_MS, () => this.#dead());
        link.publish(names.subject('probe', pod), '');
      }
      this.start();
    });
  }

  #dead(): void {
    this.#cancel = undefined;
    const { link, log } = this.#options;
    if (!link.up) return;
    this.revivals += 1;
    log.warn({}, 'the subscriptions to NATS are dead; they are made anew');
    link.reconnect('its subscriptions are dead');
  }

  #forget(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
