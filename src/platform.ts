import type { Clock } from './core/ports/clock.ts';
import type { Ids } from './core/commands/pod.ts';
import type { Pressure } from './core/pod/watermarks.ts';
import { getHeapStatistics } from 'node:v8';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { randomBytes } from 'node:crypto';
import { hostname, totalmem } from 'node:os';

/** How often the event loop is looked at: each look wakes the process. */
const RESOLUTION_MS = 50;
const NS_PER_MS = 1e6;

/** What a pod takes of the machine that it runs on; pods that share a process for a simulation each have their own. */
export interface Platform {
  readonly clock: Clock;
  /** Numbers in [0, 1). */
  readonly random: () => number;
  readonly ids: Ids;
  /** A short name that no other process has. */
  readonly newName: () => string;
  /** What the machine is called. */
  readonly host: string;
  readonly pressure: Pressure;
  /** What V8 takes for its heap at most. */
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

/** The machine's clock; what waits on it does not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(ms, task) {
    const timer = setTimeout(task, ms).unref();
    return () => clearTimeout(timer);
  },
};

/** 96 random bits for a connection; a message without a position is numbered behind a tag that no other pod has. */
export function randomIds(): Ids {
  const tag = randomName();
  let messages = 0;
  return {
    connection: () => randomBytes(12).toString('base64url'),
    ephemeral: () => `${tag}~${(messages += 1).toString(36)}`,
  };
}

/** A short name that no other process has. */
export function randomName(): string {
  return randomBytes(6).toString('hex');
}

/**
 * Memory is what the container or the machine gives, or what V8 takes for its heap, whichever is nearer to its end.
 * The event loop is watched from now on.
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
      // What is measured is the time between two looks, which is the resolution where nothing lags.
      return count === 0 ? 0 : Math.max(0, mean / NS_PER_MS - RESOLUTION_MS);
    },
  };
}
