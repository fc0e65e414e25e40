import type { Clock } from '../../../core/ports/clock.ts';
import type { Envelope } from '../../shared/envelope.ts';
import { addressOf } from './slots.ts';
import { CommandConnection } from './command-connection.ts';
import type { ServerRole } from './handshake.ts';
import type { Log } from '../../../core/ports/log.ts';
import type { RedisAddress } from './options.ts';
import { PROBE } from './rights.ts';
import type { Script } from './script.ts';
import type { Trouble } from '../../../core/ports/broker.ts';
import { SubscriberConnection, type ShardedChannels } from './subscriber-connection.ts';

/** How often a server is asked for its time, and for a sign of life of the subscription. */
const PROBE_EVERY_MS = 3_000;

/** What the connections to all servers have in common. */
export interface ServerCommons {
  /** No other process has this name. */
  readonly pod: string;
  /** Every script that will be called. */
  readonly scripts: readonly Script[];
  /** Another number for every connection of the pod, to whichever server. */
  readonly nextConnection: () => number;
  readonly clock: Clock;
  readonly log: Log;
  /** What came on a channel. */
  readonly receive: (channel: string, envelope: Envelope) => void;
}

export interface ServerConnectionsOptions extends ServerCommons {
  readonly address: RedisAddress;
  readonly role: ServerRole;
  /** Undefined: of one server, which has all channels. */
  readonly sharded?: ShardedChannels | undefined;
  /** A channel that this server has. */
  readonly probeChannel: () => string;
}

/** This pod's two connections to one server: for commands, and to listen. A subscription that is dead is made anew. */
export class ServerConnections {
  readonly link: CommandConnection;
  readonly subscriptions: SubscriberConnection;
  readonly #options: ServerConnectionsOptions;
  #probed: string | undefined;
  #stopped = false;

  constructor(options: ServerConnectionsOptions) {
    this.#options = options;
    this.link = new CommandConnection(options);
    this.subscriptions = new SubscriberConnection(options);
  }

  start(): void {
    this.link.start();
    this.subscriptions.start();
    this.#probeLater();
  }

  stop(): void {
    this.#stopped = true;
    this.subscriptions.stop();
    this.link.stop();
  }

  /** Which of the two does not do, and why. */
  troubles(): Trouble[] {
    const { address } = this.#options;
    const troubles: Trouble[] = [];
    const part = address.server === undefined ? address.master : addressOf(address.server);
    if (!this.link.up) troubles.push({ part, lost: 'answers', reason: this.link.lastError });
    if (!this.subscriptions.up)
      troubles.push({ part, lost: 'publications', reason: this.subscriptions.lastError });
    return troubles;
  }

  #probeLater(): void {
    this.#options.clock.after(PROBE_EVERY_MS, () => {
      if (this.#stopped) return;
      void this.#probe();
      this.#probeLater();
    });
  }

  async #probe(): Promise<void> {
    const { link, subscriptions } = this;
    try {
      const channel = this.#options.probeChannel();
      if (this.#probed !== undefined && this.#probed !== channel) subscriptions.unsubscribe(this.#probed);
      this.#probed = channel;
      await subscriptions.subscribe(channel);
      subscriptions.expectProbe();
      // Both leave in one write.
      await Promise.all([link.publish(channel, PROBE), link.askTime()]);
    } catch {
      // One of the two is being made anew anyway.
      subscriptions.forgetProbe();
    }
  }
}
