import { addressOf, SlotMap } from './slots.ts';
import type { HostPort, RedisAddress } from './options.ts';
import { askForSlots } from './slot-query.ts';
import type { Clock } from '../../../core/ports/clock.ts';
import type { CommandConnection } from './command-connection.ts';
import { ignored } from '../../shared/ignored.ts';
import type { LookupFunction } from 'node:net';

/** How often the Cluster is asked for its slots, while they may be changing and otherwise. */
const CHANGING_MS = 200;
const QUIET_MS = 5_000;

/** A master that can be asked over a connection that is up. */
export interface Master {
  readonly server: HostPort;
  readonly commands: CommandConnection;
}

export interface DiscoveryOptions {
  readonly clock: Clock;
  /** `cluster` names some of its servers. */
  readonly address: RedisAddress;
  readonly pod: string;
  readonly lookup: LookupFunction;
  /** Asked first. */
  readonly connected: () => readonly Master[];
  /** What the Cluster answered: the same map while nothing changes, and undefined if no server answered. */
  readonly found: (map: SlotMap | undefined) => Promise<void>;
  /** Whether the owners of slots may be changing. */
  readonly isChanging: () => boolean;
}

/** Asks the Cluster again and again which master has which slots. */
export class Discovery {
  readonly #options: DiscoveryOptions;
  #map = SlotMap.empty;
  #isAsking = false;
  #askAgain = false;
  #askedAt = Number.NEGATIVE_INFINITY;
  #cancel: (() => void) | undefined;
  #stopped = false;
  /** Why the server that was asked last did not answer. */
  lastError = 'not connected yet';

  constructor(options: DiscoveryOptions) {
    this.#options = options;
  }

  start(): void {
    void this.#ask();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  /** Something has changed: asks at once, unless it asked a moment ago. */
  askSoon(): void {
    const wait = this.#askedAt + CHANGING_MS - this.#options.clock.elapsed();
    if (this.#isAsking) this.#askAgain = true;
    else if (wait <= 0) void this.#ask();
    else this.#askIn(wait);
  }

  async #ask(): Promise<void> {
    const { clock, found, isChanging } = this.#options;
    this.#isAsking = true;
    this.#askAgain = false;
    this.#askedAt = clock.elapsed();
    this.#cancel?.();
    const map = await this.#mapOfAny();
    if (this.#stopped) return;
    if (map !== undefined) this.#map = map;
    await found(map);
    this.#isAsking = false;
    if (!this.#stopped) this.#askIn(isChanging() || this.#askAgain ? CHANGING_MS : QUIET_MS);
  }

  #askIn(ms: number): void {
    this.#cancel?.();
    this.#cancel = this.#options.clock.after(ms, () => void this.#ask());
  }

  async #mapOfAny(): Promise<SlotMap | undefined> {
    const { address, connected } = this.#options;
    for (const { server, commands } of connected()) {
      const reply = await commands.command((client) => client.cluster('SLOTS')).catch(ignored);
      const map = reply === undefined ? SlotMap.empty : this.#map.or(reply, server);
      // A server that was taken out of the Cluster knows no masters.
      if (map.masters.size > 0) return map;
    }
    const known = [...this.#map.servers, ...(address.cluster ?? [])];
    for (const server of new Map(known.map((one) => [addressOf(one), one])).values()) {
      if (this.#stopped) return undefined;
      const map = await this.#mapOf(server);
      if (map !== undefined) return map;
    }
    return undefined;
  }

  async #mapOf(server: HostPort): Promise<SlotMap | undefined> {
    const { address, lookup, pod } = this.#options;
    try {
      const reply = await askForSlots(server, { address, lookup, connectionName: `crosspod:${pod}` });
      const map = this.#map.or(reply, server);
      if (map.masters.size > 0) return map;
      this.lastError = 'its slots are not assigned';
    } catch (error) {
      // Only the text: an error of ioredis carries the command, and with it a password.
      this.lastError = (error as Error).message;
    }
    return undefined;
  }
}
