import type { HistoryLimits } from '../../src/core/ports/room-rules.ts';
import { MemoryBudget } from '../../src/engines/shared/memory-budget.ts';
import { MemoryBroker } from '../../src/engines/memory/broker.ts';
import { TestClock } from '../support/test-clock.ts';
import { brokerContract } from './broker.ts';
import { lastValueContract, roomRulesContract } from './room-rules.ts';

const clock = new TestClock();

const subject = {
  open: (limitsOf: (room: string) => HistoryLimits = () => ({ historySize: 5, historyTtlMs: 60_000 })) =>
    Promise.resolve(
      new MemoryBroker({ clock, epoch: 'epoch1', limitsOf, budget: new MemoryBudget(1_048_576) }),
    ),
  pass(ms: number) {
    clock.advance(ms);
    return Promise.resolve();
  },
};

brokerContract('The memory broker', subject);
roomRulesContract('The memory broker', subject);
lastValueContract('The memory broker', subject);
