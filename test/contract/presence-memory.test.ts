import { MemoryPresence } from '../../src/presence/memory.ts';
import { TestClock } from '../support/test-clock.ts';
import { presenceContract } from './presence.ts';

const clock = new TestClock();

presenceContract('The memory presence store', {
  open: () => Promise.resolve(new MemoryPresence(clock)),
  pass(ms) {
    clock.advance(ms);
    return Promise.resolve();
  },
  now: () => Promise.resolve(clock.now()),
});
