import { createHook } from 'node:async_hooks';
import { type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Loaded into a pod's process before its program (`node --import`). The test asks by IPC: `begin bytes` or `begin
 * objects`, and `end`, which answers what the process allocated in between. Bytes are counted without hooks, since hooks
 * allocate; they count only if no garbage was collected meanwhile.
 */
export interface Costs {
  readonly bytes: number;
  readonly collections: number;
  readonly promises: number;
  readonly timers: number;
}

let [promises, timers, collections, heapBefore, begunAt] = [0, 0, 0, 0, 0];
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const hook = createHook({
  init(_id, type) {
    if (type === 'PROMISE') promises += 1;
    else if (type === 'Timeout') timers += 1;
  },
});
const countCollections = (entries: PerformanceEntry[]): void => {
  collections += entries.filter(({ startTime }) => startTime > begunAt).length;
};
const observer = new PerformanceObserver((list) => countCollections(list.getEntries()));
observer.observe({ entryTypes: ['gc'] });

process.on('message', (order: string) => {
  if (order === 'begin bytes') {
    collect();
    [collections, heapBefore, begunAt] = [0, process.memoryUsage().heapUsed, performance.now()];
  } else if (order === 'begin objects') {
    [promises, timers] = [0, 0];
    hook.enable();
  } else {
    const bytes = process.memoryUsage().heapUsed - heapBefore;
    hook.disable();
    countCollections(observer.takeRecords());
    process.send?.({ bytes, collections, promises, timers } satisfies Costs);
    return;
  }
  process.send?.('begun');
});
// The channel to the test alone must not keep the pod alive.
process.channel?.unref();
