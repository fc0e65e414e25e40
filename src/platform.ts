import type { Clock } from './core/ports/clock.ts';
import type { Ids } from './core/commands/pod.ts';
import type { Pressure } from './core/pod/watermarks.ts';
import { getHeapStatistics } from 'node:v8';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { randomBytes, randomFillSync } from 'node:crypto';
import { hostname, totalmem } from 'node:os';

/** The sampling interval of the event loop delay. Each sample wakes the process. */
const RESOLUTION_MS = 50;
const ID_BYTES = 12;
const IDS_PER_DRAW = 128;
const NS_PER_MS = 1e6;

/** What a pod uses of its machine. In a simulation, each pod in the process has its own. */
export interface Platform {
  readonly clock: Clock;
  /** Numbers in [0, 1). */
  readonly random: () => number;
  readonly ids: Ids;
  /** Creates a short name that no other process has. */
  readonly newName: () => string;
  /** The host name. */
  readonly host: string;
  readonly pressure: Pressure;
  /** The heap limit of V8. */
  readonly heapLimitBytes: number;
}

export function thisMachine(): Platform {
  return {
    clock: systemClock,
    random: Math.random,
    ids: randomIds(),
    newName: randomName,
    host: hostname(),
    pressure: processPressure(),
    heapLimitBytes: getHeapStatistics().heap_size_limit,
  };
}

/** The machine's clock. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(ms, task) {
    const timer = setTimeout(task, ms).unref();
    return () => clearTimeout(timer);
  },
};

/** A connection id has 96 random bits. A message id that is not a position is a number after a tag of this pod. */
export function randomIds(): Ids {
  const tag = randomName();
  let messages = 0;
  return {
    connection: connectionIds(),
    ephemeral: () => `${tag}~${(messages += 1).toString(36)}`,
  };
}

/** Draws the random bytes of many ids at once: a system call for each is a tenth of what a handshake costs. */
function connectionIds(): () => string {
  const pool = Buffer.alloc(ID_BYTES * IDS_PER_DRAW);
  let next = pool.length;
  return () => {
    if (next === pool.length) {
      randomFillSync(pool);
      next = 0;
    }
    next += ID_BYTES;
    return pool.toString('base64url', next - ID_BYTES, next);
  };
}

/** Creates a short name that no other process has. */
export function randomName(): string {
  return randomBytes(6).toString('hex');
}

/**
 * Memory pressure is the larger of two shares: resident memory of the container's or machine's limit, and used heap of
 * V8's limit. Begins at once to measure the event loop.
 */
function processPressure(): Pressure {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  const most = Math.min(process.constrainedMemory() || Infinity, totalmem());
  return {
    memory() {
      const { used_heap_size: heap, heap_size_limit: heapLimit } = getHeapStatistics();
      return Math.max(process.memoryUsage.rss() / most, heap / heapLimit);
    },
    lagMs() {
      const { count, mean } = delays;
      delays.reset();
      // The histogram measures the time between two samples, which is the resolution if nothing lags.
      return count === 0 ? 0 : Math.max(0, mean / NS_PER_MS - RESOLUTION_MS);
    },
  };
}
