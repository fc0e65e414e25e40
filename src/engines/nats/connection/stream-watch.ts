import { Unavailable } from '../../shared/unavailable.ts';
import { every } from '../../../core/base/every.ts';
import type { Clock } from '../../../core/ports/clock.ts';
import type { Log } from '../../../core/ports/log.ts';
import type { NatsLink } from './link.ts';

export interface StreamWatchOptions {
  readonly link: NatsLink;
  readonly everyMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Notices streams that were deleted or recreated while this pod is connected, and reconnects. A pod that writes nothing
 * would not notice otherwise that its rows are gone.
 */
export class StreamWatch {
  readonly #options: StreamWatchOptions;

  constructor(options: StreamWatchOptions) {
    this.#options = options;
  }

  start(): void {
    const { clock, everyMs, link, log } = this.#options;
    every(clock, everyMs, () => {
      if (!link.up) return;
      this.#check().catch((error: unknown) => {
        if (!(error instanceof Unavailable))
          log.error({ err: error }, 'the streams of NATS could not be checked');
      });
    });
  }

  async #check(): Promise<void> {
    const { link } = this.#options;
    const all = await link.call(({ madeAt }) => Promise.resolve([...madeAt]));
    for (const [name, created] of all) {
      const info = await link.call(({ jsm }) => jsm.streams.info(name));
      if (info.created === created) continue;
      link.reconnect(`the stream ${name} was recreated`);
      return;
    }
  }
}
