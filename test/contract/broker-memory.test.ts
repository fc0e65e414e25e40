import { MemoryBudget } from '../../src/engines/shared/memory-budget.ts';
import { MemoryBroker } from '../../src/engines/memory/broker.ts';
import { TestClock } from '../support/test-clock.ts';
import { brokerContract } from './broker.ts';

const clock = new TestClock();

brokerContract('The memory broker', {
  open: () =>
    Promise.resolve(
      new MemoryBroker({
        clock,
        epoch: 'epoch1',
        historySize: 5,
        historyTtlMs: 60_000,
        budget: new MemoryBudget(1_048_576),
      }),
    ),
  pass(ms) {
    clock.advance(ms);
    return Promise.resolve();
  },
});
