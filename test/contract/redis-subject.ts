import { DENYLIST_SCRIPTS } from '../../src/engines/redis/denylist.ts';
import { Backbone } from '../../src/engines/redis/connection/backbone.ts';
import type { Clock } from '../../src/core/ports/clock.ts';
import { BROKER_SCRIPTS } from '../../src/engines/redis/broker.ts';
import { DIRECTORY_SCRIPTS } from '../../src/engines/redis/directory.ts';
import { PRESENCE_SCRIPTS } from '../../src/engines/redis/presence/scripts.ts';
import { type RedisServer, startRedis } from '../support/stack/redis-server.ts';
import { startRedisCluster } from '../support/stack/redis-cluster.ts';
import { vi } from 'vitest';
import { SettableTime } from '../support/settable-time.ts';
import { TestClock } from '../support/test-clock.ts';

const HOUR_MS = 3_600_000;
/** A server of a Cluster takes others for dead by its own clock. */
const NO_TIMEOUT_MS = 1e9;

const log = { debug() {}, info() {}, warn() {}, error: (fields: object) => console.error(fields) };

/** A real Redis (one server, or a Cluster of three masters and three replicas) whose clock the test advances. */
export class RedisSubject {
  readonly #kind: 'alone' | 'cluster';
  /** The clock of the last pod that has no own one. It starts at Redis's time. */
  #clock = new TestClock();
  readonly #time = new SettableTime();
  /** How far Redis's clock is ahead of the machine's. */
  #aheadMs = 0;
  /** The servers that have keys. */
  #servers: RedisServer[] = [];
  #discard: (() => Promise<void>) | undefined;
  #pods = 0;
  #last: Backbone | undefined;

  constructor(kind: 'alone' | 'cluster' = 'alone') {
    this.#kind = kind;
  }

  async start(): Promise<void> {
    if (this.#kind === 'alone') {
      const server = await startRedis({ env: this.#time.env });
      this.#servers = [server];
      this.#discard = () => server.discard();
      return;
    }
    const cluster = await startRedisCluster({ nodeTimeoutMs: NO_TIMEOUT_MS, env: this.#time.env });
    this.#servers = await cluster.masters();
    this.#discard = () => cluster.discard();
  }

  async stop(): Promise<void> {
    await this.#discard?.();
    this.#time.discard();
  }

  /** Opens another pod with its own clock. The first one after `empty` finds no keys. */
  backbone(clock?: Clock): Backbone {
    if (clock === undefined) this.#clock = new TestClock(Date.now() + this.#aheadMs);
    const server = { host: '127.0.0.1', port: this.#servers[0]?.port ?? 0 };
    this.#last = new Backbone({
      address: { ...(this.#kind === 'alone' ? { server } : { cluster: [server] }), master: '', db: 0 },
      prefix: 'test:',
      pod: `pod${(this.#pods += 1)}`,
      leaseMs: 10_000,
      startWaitMs: 2_000,
      scripts: [...BROKER_SCRIPTS, ...PRESENCE_SCRIPTS, ...DIRECTORY_SCRIPTS, ...DENYLIST_SCRIPTS],
      clock: clock ?? this.#clock,
      log,
    });
    return this.#last;
  }

  /** Resolves once the pod holds its lease, without which it cannot store rows. */
  async settled({ keys, lease, placement }: Backbone): Promise<void> {
    await vi.waitFor(async () => {
      const score = await placement
        .shardOf(keys.pods)
        .command((client) => client.zscore(keys.pods, lease.name));
      if (score === null || !placement.up)
        throw new Error(`no lease yet: ${score} ${placement.up} ${lease.name}`);
    });
  }

  async empty(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.command('FLUSHALL')));
  }

  /** No command is answered until `thaw`. */
  freeze(): void {
    for (const server of this.#servers) server.freeze();
  }

  thaw(): void {
    for (const server of this.#servers) server.thaw();
  }

  /** In steps of an hour, so that the timers of pods run in between. */
  async pass(ms: number): Promise<void> {
    const wasWhole = this.#last?.placement.troubles().length === 0;
    for (let left = ms; left > 0; left -= HOUR_MS) {
      const step = Math.min(left, HOUR_MS);
      this.#aheadMs += step;
      this.#time.set(this.#aheadMs);
      // A timer of a few seconds runs once, not a thousand times.
      this.#clock.stall(step);
      this.#clock.advance(0);
      // After this answer, earlier commands are done, and earlier publications have come back.
      await this.#last?.shared.command((client) => client.ping());
      await Promise.all(this.#servers.map((server) => server.command('PING')));
    }
    if (wasWhole) await this.#whole();
  }

  /** Waits for a connection that a step of the clock took for dead, because an answer was on its way. */
  async #whole(): Promise<void> {
    await vi.waitFor(
      () => {
        const troubles = this.#last?.placement.troubles() ?? [];
        if (troubles.length === 0) return;
        this.#clock.advance(50);
        throw new Error(`not connected again: ${troubles.map(({ reason }) => reason).join(', ')}`);
      },
      { timeout: 10_000 },
    );
  }
}
