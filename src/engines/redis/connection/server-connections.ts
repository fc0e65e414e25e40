import { addressOf } from './slots.ts';
import { CommandConnection } from './command-connection.ts';
import { every } from '../../../core/base/every.ts';
import { PROBE } from './rights.ts';
import type { ServerOptions } from './server-options.ts';
import { SubscriberConnection } from './subscriber-connection.ts';
import type { Trouble } from '../../../core/ports/broker.ts';

/** How often the server is asked for its time, and the subscription is probed. */
const PROBE_EVERY_MS = 3_000;

/** This pod's two connections to one server. A subscription that is dead is reconnected. */
export class ServerConnections {
  readonly commands: CommandConnection;
  readonly subscriber: SubscriberConnection;
  readonly #options: ServerOptions;
  #probed: string | undefined;
  #stopProbing: (() => void) | undefined;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.commands = new CommandConnection(options);
    this.subscriber = new SubscriberConnection(options);
  }

  start(): void {
    this.commands.start();
    this.subscriber.start();
    // Not awaited: a probe without an answer must not delay the next one.
    this.#stopProbing = every(this.#options.clock, PROBE_EVERY_MS, () => void this.#probe());
  }

  stop(): void {
    this.#stopProbing?.();
    this.subscriber.stop();
    this.commands.stop();
  }

  /** Which of the two connections does not serve, and why. */
  troubles(): Trouble[] {
    const { server, master } = this.#options.address;
    const part = server === undefined ? master : addressOf(server);
    const troubles: Trouble[] = [];
    if (!this.commands.up) troubles.push({ part, lost: 'answers', reason: this.commands.lastError });
    if (!this.subscriber.up) troubles.push({ part, lost: 'publications', reason: this.subscriber.lastError });
    return troubles;
  }

  async #probe(): Promise<void> {
    const { commands, subscriber } = this;
    const { keys, pod, role } = this.#options;
    try {
      const channel = keys.probe(pod, role.tag());
      if (this.#probed !== undefined && this.#probed !== channel) subscriber.unsubscribe(this.#probed);
      this.#probed = channel;
      await subscriber.subscribe(channel);
      subscriber.expectProbe();
      // Both leave in one write.
      await Promise.all([commands.publish(channel, PROBE), commands.askTime()]);
    } catch {
      // The failed connection reconnects by itself.
      subscriber.forgetProbe();
    }
  }
}
