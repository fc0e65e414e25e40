import { Backbone } from '../../src/redis/backbone.ts';
import { BROKER_SCRIPTS } from '../../src/broker/redis.ts';
import { DIRECTORY_SCRIPTS } from '../../src/directory/redis.ts';
import { PRESENCE_SCRIPTS } from '../../src/presence/redis-rows.ts';
import { type RedisServer, startRedis } from '../../loadtest/stack/redis-server.ts';
import { vi } from 'vitest';
import { TestClock } from '../support/test-clock.ts';

const HOUR_MS = 3_600_000;
/** Brings every key so much nearer to its end; keys whose time is over go. */
const AGE = `
for _, key in ipairs(redis.call('KEYS', '*')) do
  local left = redis.call('PTTL', key)
  if left > 0 then
    if left > tonumber(ARGV[1]) then redis.call('PEXPIRE', key, left - ARGV[1]) else redis.call('DEL', key) end
  end
end`;

const log = { debug() {}, info() {}, warn() {}, error: (fields: object) => console.error(fields) };

/** A real Redis, whose time goes on when it is told to. */
export class RedisSubject {
  /** That of the last pod; it began at Redis's own time. */
  #clock = new TestClock();
  #server: RedisServer | undefined;
  #pods = 0;
  #last: Backbone | undefined;

  async start(): Promise<void> {
    this.#server = await startRedis();
  }

  async stop(): Promise<void> {
    await this.#server?.discard();
  }

  /** Another pod, on whose machine it is `now`; the first call after `empty` finds nothing. */
  backbone(now = Date.now()): Backbone {
    this.#clock = new TestClock(now);
    this.#last = new Backbone({
      address: {
        server: { host: '127.0.0.1', port: this.#server?.port ?? 0 },
        tls: undefined,
        master: '',
        db: 0,
      },
      prefix: 'test:',
      pod: `pod${(this.#pods += 1)}`,
      leaseMs: 10_000,
      scripts: [...BROKER_SCRIPTS, ...PRESENCE_SCRIPTS, ...DIRECTORY_SCRIPTS],
      clock: this.#clock,
      log,
    });
    return this.#last;
  }

  /** Resolves once the pod holds its lease, without which it may keep nothing. */
  async settled({ keys, lease }: Backbone): Promise<void> {
    await vi.waitFor(async () => {
      if ((await this.#server?.command('ZSCORE', keys.pods, lease.name)) === null)
        throw new Error('no lease yet');
    });
  }

  async empty(): Promise<void> {
    await this.#server?.command('FLUSHALL');
  }

  /** Hour by hour, so that what a pod does every so often is done in between. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= HOUR_MS) {
      const step = Math.min(left, HOUR_MS);
      this.#clock.advance(step);
      // What was sent by that is done once this is answered.
      await this.#last?.link.command((client) => client.ping());
      await this.#server?.command('EVAL', AGE, '0', String(step));
    }
  }
}
