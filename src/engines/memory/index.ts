import { MemoryBroker, type MemoryBrokerOptions } from './broker.ts';
import { MemoryBudget } from '../shared/memory-budget.ts';
import { MemoryDirectory } from './directory.ts';
import { MemoryDenylist } from './denylist.ts';
import { MemoryGrants } from './grants.ts';
import { MemoryPresence } from './presence.ts';

export interface MemoryEngineOptions extends Omit<MemoryBrokerOptions, 'budget'> {
  /** For history, presence and idempotency keys together. */
  readonly memoryBytes: number;
}

export interface MemoryEngine {
  readonly broker: MemoryBroker;
  readonly store: MemoryPresence;
  readonly directory: MemoryDirectory;
  readonly grants: MemoryGrants;
  readonly denylist: MemoryDenylist;
}

/** Composes the parts of a pod that shares nothing with others. */
export function memoryEngine({ memoryBytes, ...options }: MemoryEngineOptions): MemoryEngine {
  const budget = new MemoryBudget(memoryBytes);
  return {
    broker: new MemoryBroker({ ...options, budget }),
    store: new MemoryPresence(options.clock, budget),
    directory: new MemoryDirectory(),
    grants: new MemoryGrants(options.clock),
    denylist: new MemoryDenylist(options.clock),
  };
}
