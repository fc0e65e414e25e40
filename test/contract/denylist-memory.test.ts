import { denylistContract } from './denylist.ts';
import { MemoryDenylist } from '../../src/engines/memory/denylist.ts';
import { systemClock } from '../../src/platform.ts';

denylistContract('The denylist of a single pod', {
  empty: () => undefined,
  open(denied) {
    const denylist = new MemoryDenylist(systemClock);
    denylist.start(denied);
    return Promise.resolve(denylist);
  },
});
