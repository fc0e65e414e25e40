import type { IsAffected, Placement } from './placement.ts';
import type { Trouble } from '../../../core/ports/broker.ts';
import type { Keys } from './keys.ts';
import type { ServerRole } from './handshake.ts';
import type { RedisAddress } from './options.ts';
import { scriptsIn } from './script.ts';
import { ServerConnections, type ServerCommons } from './server-connections.ts';
import type { Shard } from './shard.ts';

const REGISTER_RUN = scriptsIn('connection')('register-run');

export interface OneServerOptions extends ServerCommons {
  /** Of the server, or of the Sentinels that know it. */
  readonly address: RedisAddress;
  readonly keys: Keys;
}

const everything: IsAffected = () => true;

/** One server has everything: by its own address, or whichever the Sentinels call the master. */
export class OneServer implements Placement {
  readonly #shard: ServerConnections;

  constructor({ keys, ...options }: OneServerOptions) {
    const role: ServerRole = {
      prove: async (client, run, now, before) =>
        void (await client.evalsha(REGISTER_RUN.alone.sha, 1, keys.epoch, run, now, before)),
      text: (script) => script.alone,
      publish: (client, channel, text) => client.publish(channel, text),
      // A script finds it where it is kept, and another one as soon as that is gone.
      data: () => '',
      samples: () => keys.samples(options.pod, ''),
      elsewhere() {},
    };
    const probeChannel = (): string => keys.probe(options.pod, '');
    this.#shard = new ServerConnections({
      ...options,
      scripts: [REGISTER_RUN, ...options.scripts],
      role,
      probeChannel,
    });
  }

  get up(): boolean {
    return this.#shard.link.up;
  }

  get subscribed(): boolean {
    return this.#shard.subscriptions.up;
  }

  get losses(): number {
    return this.#shard.link.losses;
  }

  get revivals(): number {
    return this.#shard.subscriptions.revivals;
  }

  troubles(): readonly Trouble[] {
    return this.#shard.troubles();
  }

  slotOf(): number {
    return 0;
  }

  isUp(): boolean {
    return this.up;
  }

  shardOf(): Shard {
    return this.#shard.link;
  }

  subscribe(channel: string): Promise<void> {
    return this.#shard.subscriptions.subscribe(channel);
  }

  unsubscribe(channel: string): void {
    this.#shard.subscriptions.unsubscribe(channel);
  }

  hears(channel: string): boolean {
    return this.#shard.subscriptions.has(channel);
  }

  whenUp(task: (isAffected: IsAffected) => void): void {
    this.#shard.link.whenUp(() => task(everything));
  }

  whenSubscribed(task: (isAffected: IsAffected) => void): void {
    const { link, subscriptions } = this.#shard;
    const taskIfBoth = (): void => void (link.up && subscriptions.up && task(everything));
    // The later of the two begins it.
    link.whenUp(taskIfBoth);
    subscriptions.whenUp(taskIfBoth);
  }

  whenReconnected(task: () => void): void {
    this.#shard.link.whenUp(task);
  }

  /** It has all parts, all the time. */
  whenSlotsMoved(): void {}

  start(): void {
    this.#shard.start();
  }

  stop(): void {
    this.#shard.stop();
  }

  warn(): void {
    if (!this.up) this.#shard.link.warn();
  }
}
