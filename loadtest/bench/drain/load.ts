import { fileURLToPath } from 'node:url';
import { startLoadProcess } from '../load-process.ts';
import type { Account, Command, CrowdOptions, Handover } from './commands.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
/** A pod lets 500 in each second. */
const GATHER_TIMEOUT_MS = 120_000;
const TIMEOUT_MS = 90_000;

/** The clients of the case `drain`, in a process of their own. */
export interface DrainLoad {
  /** Connects everybody and begins to publish. */
  gather(options: CrowdOptions): Promise<void>;
  /** Resolves when everybody has moved to the other pod. */
  follow(): Promise<Handover>;
  /** Publishes no more; throws unless every member received every message once and in order. */
  settle(): Promise<Account>;
  stop(): Promise<void>;
}

export function startDrainLoad(): DrainLoad {
  const load = startLoadProcess<Command>(MAIN);
  return {
    gather: async (options) => {
      await load.ask({ kind: 'gather', options }, GATHER_TIMEOUT_MS);
    },
    follow: async () => (await load.ask({ kind: 'follow' }, TIMEOUT_MS)) as Handover,
    settle: async () => complete((await load.ask({ kind: 'settle' }, TIMEOUT_MS)) as Account),
    stop: () => load.stop(),
  };
}

function complete(account: Account): Account {
  const { expected, lost, repeated, disordered } = account;
  if (lost === 0 && repeated === 0 && disordered === 0) return account;
  throw new Error(
    `${lost} of ${expected} deliveries are lost, ${repeated} were repeated, ${disordered} out of order`,
  );
}
