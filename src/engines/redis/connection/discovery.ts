import { addressOf, SlotMap } from './slots.ts';
import type { HostPort, RedisAddress } from './options.ts';
import { askForSlots } from './slot-query.ts';
import type { Clock } from '../../../core/ports/clock.ts';
import { ignored } from '../../shared/ignored.ts';
import type { CommandConnection } from './command-connection.ts';

/** How often the Cluster is asked who has what, while that may be changing and while nothing seems to. */
const CHANGING_MS = 200;
const QUIET_MS = 5_000;

/** A master to which there is a connection. */
export interface Connected {
  readonly server: HostPort;
  readonly link: CommandConnection;
}

export interface DiscoveryOptions {
  readonly clock: Clock;
  /** `cluster` names some of its servers. */
  readonly address: RedisAddress;
  readonly pod: string;
  /** Who is asked first. */
  readonly connected: () => readonly Connected[];
  /** An answer has come: what the servers say, and undefined where none of them said anything. */
  readonly heard: (map: SlotMap | undefined) => Promise<void>;
  /** Whether who has what may be changing. */
  readonly isChanging: () => boolean;
}

/** Asks the Cluster again and again who has which slots. */
export class Discovery {
  readonly #options: DiscoveryOptions;
  /** Every server of the last answer. */
  #servers: readonly HostPort[] = [];
  #isAsking = false;
  #askAgain = false;
  #askedAt = Number.NEGATIVE_INFINITY;
  #cancel: (() => void) | undefined;
  #stopped = false;
  /** What was wrong with the server that was asked last. */
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

  /** Something has changed: it is asked at once, unless it was a moment ago. */
  askSoon(): void {
    const wait = this.#askedAt + CHANGING_MS - this.#options.clock.elapsed();
    if (this.#isAsking) this.#askAgain = true;
    else if (wait <= 0) void this.#ask();
    else this.#askIn(wait);
  }

  async #ask(): Promise<void> {
    const { clock, heard, isChanging } = this.#options;
    this.#isAsking = true;
    this.#askAgain = false;
    this.#askedAt = clock.elapsed();
    this.#cancel?.();
    const map = await this.#mapOfAny();
    if (this.#stopped) return;
    if (map !== undefined) this.#servers = [...map.servers];
    await heard(map);
    this.#isAsking = false;
    if (!this.#stopped) this.#askIn(isChanging() || this.#askAgain ? CHANGING_MS : QUIET_MS);
  }

  #askIn(ms: number): void {
    this.#cancel?.();
    this.#cancel = this.#options.clock.after(ms, () => void this.#ask());
  }

  async #mapOfAny(): Promise<SlotMap | undefined> {
    const { address, connected } = this.#options;
    for (const { server, link } of connected()) {
      const reply = await link.command((client) => client.cluster('SLOTS')).catch(ignored);
      const map = reply === undefined ? SlotMap.empty : SlotMap.of(reply, server);
      // One that was taken out of the Cluster knows of nothing any more.
      if (map.masters.size > 0) return map;
    }
    const known = [...this.#servers, ...(address.cluster ?? [])];
    for (const server of new Map(known.map((one) => [addressOf(one), one])).values()) {
      if (this.#stopped) return undefined;
      const map = await this.#mapOf(server);
      if (map !== undefined) return map;
    }
    return undefined;
  }

  async #mapOf(server: HostPort): Promise<SlotMap | undefined> {
    const { address, clock, pod } = this.#options;
    try {
      const map = await askForSlots(server, address, `crosspod:${pod}`, clock);
      if (map.masters.size > 0) return map;
      this.lastError = 'its slots are not assigned';
    } catch (error) {
      // Only the text: an error of ioredis carries the command, and with it a password.
      this.lastError = (error as Error).message;
    }
    return undefined;
  }
}
