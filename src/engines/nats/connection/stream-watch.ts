import { Unavailable } from '../../shared/unavailable.ts';
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
 * Notices streams that were deleted or made anew while this pod is connected. Nothing else would tell a pod that only
 * listens: what it has kept there is gone, and it has to begin anew.
 */
export class StreamWatch {
  readonly #options: StreamWatchOptions;

  constructor(options: StreamWatchOptions) {
    this.#options = options;
  }

  start(): void {
    const { clock, everyMs, link, log } = this.#options;
    clock.after(everyMs, () => {
      this.start();
      if (!link.up) return;
      this.#look().catch((error: unknown) => {
        if (!(error instanceof Unavailable))
          log.error({ err: error }, 'the streams of NATS could not be looked at');
      });
    });
  }

  async #look(): Promise<void> {
    const { link } = this.#options;
    const all = await link.call(({ madeAt }) => Promise.resolve([...madeAt]));
    for (const [name, created] of all) {
      const info = await link.call(({ jsm }) => jsm.streams.info(name));
      if (info.created === created) continue;
      link.reconnect(`the stream ${name} was made anew`);
      return;
    }
  }
}
