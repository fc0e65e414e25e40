import { MemoryBudget } from '../../src/engines/shared/memory-budget.ts';
import { MemoryPresence } from '../../src/engines/memory/presence.ts';
import { TestClock } from '../support/test-clock.ts';
import { presenceContract } from './presence.ts';

const clock = new TestClock();

presenceContract('The memory presence store', {
  open: () => Promise.resolve(new MemoryPresence(clock, new MemoryBudget(1_048_576))),
  pass(ms) {
    clock.advance(ms);
    return Promise.resolve();
  },
  now: () => Promise.resolve(clock.now()),
});
