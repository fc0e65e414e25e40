import type { Channels, IsAffected, Placement } from './placement.ts';
import type { ServerCommons, ServerRole } from './server-options.ts';
import { ServerConnections } from './server-connections.ts';
import type { CommandConnection } from './command-connection.ts';
import { scriptsIn } from './script.ts';
import type { Shard } from './shard.ts';
import type { Trouble } from '../../../core/ports/broker.ts';

const REGISTER_RUN = scriptsIn('connection')('register-run');

const everything: IsAffected = () => true;

/** One server has everything: the one at the given address, or the one that the Sentinels call the master. */
export class OneServer implements Placement {
  readonly #server: ServerConnections;
  readonly #commands: CommandConnection;
  readonly channels: Channels;

  constructor(options: ServerCommons) {
    const { keys, scripts } = options;
    const role: ServerRole = {
      sharded: false,
      prove: async (client, run, now, before) =>
        void (await client.evalsha(REGISTER_RUN.alone.sha, 1, keys.epoch, run, now, before)),
      data: () => '',
      tag: () => '',
      moved() {},
      channelsMoved() {},
    };
    this.#server = new ServerConnections({ ...options, scripts: [REGISTER_RUN, ...scripts], role });
    this.#commands = this.#server.commands;
    this.channels = this.#server.subscriber;
  }

  get up(): boolean {
    return this.#commands.up;
  }

  get subscribed(): boolean {
    return this.#server.subscriber.up;
  }

  get losses(): number {
    return this.#commands.losses;
  }

  get revivals(): number {
    return this.#server.subscriber.revivals;
  }

  troubles(): readonly Trouble[] {
    return this.#server.troubles();
  }

  slotOf(): number {
    return 0;
  }

  shardOf(): Shard {
    return this.#commands;
  }

  shardOfRoom(): Shard {
    return this.#commands;
  }

  get shared(): Shard {
    return this.#commands;
  }

  whenUp(task: (isAffected: IsAffected) => void): void {
    this.#commands.whenUp(() => task(everything));
  }

  whenSubscribed(task: (isAffected: IsAffected) => void): void {
    const { commands, subscriber } = this.#server;
    const taskIfBoth = (): void => void (commands.up && subscriber.up && task(everything));
    // Whichever of the two comes up last calls it.
    commands.whenUp(taskIfBoth);
    subscriber.whenUp(taskIfBoth);
  }

  whenReconnected(task: () => void): void {
    this.#commands.whenUp(task);
  }

  /** Nothing ever moves. */
  whenSlotsMoved(): void {}

  start(): void {
    this.#server.start();
  }

  stop(): void {
    this.#server.stop();
  }

  warn(): void {
    if (!this.up) this.#commands.warn();
  }
}
