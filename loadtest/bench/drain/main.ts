import { setTimeout as sleep } from 'node:timers/promises';
import { serve } from '../load/serve.ts';
import type { Account, Command, CrowdOptions, Handover } from './commands.ts';
import { Crowd } from './crowd.ts';

const POLL_MS = 20;
/** Longer than a pod takes to end at the latest. */
const MOVE_TIMEOUT_MS = 60_000;
/** How long the last deliveries may take before they count as lost. */
const GRACE_MS = 10_000;
/** What comes after the last one that was missing was sent twice. */
const AFTERMATH_MS = 1000;

let crowd: Crowd | undefined;
let connections = 0;

async function gather(options: CrowdOptions): Promise<object> {
  crowd = new Crowd(options);
  ({ connections } = options);
  await crowd.gather();
  return {};
}

async function follow(crowd: Crowd): Promise<Handover> {
  const [cpu, begin] = [process.cpuUsage(), performance.now()];
  while (crowd.moved < connections) {
    if (performance.now() - begin > MOVE_TIMEOUT_MS)
      throw new Error(`${crowd.moved} of ${connections} are back after ${MOVE_TIMEOUT_MS} ms`);
    await sleep(POLL_MS);
  }
  const { user, system } = process.cpuUsage(cpu);
  return { ...crowd.handover(), load: (user + system) / 1000 / (performance.now() - begin) };
}

async function settle(crowd: Crowd): Promise<Account> {
  crowd.stopPublishing();
  for (const end = performance.now() + GRACE_MS; performance.now() < end;) {
    if (crowd.account().lost === 0) break;
    await sleep(POLL_MS);
  }
  await sleep(AFTERMATH_MS);
  // Nobody may have been closed since.
  if (crowd.moved !== connections) throw new Error(`${crowd.moved} moves of ${connections} connections`);
  return crowd.account();
}

async function obey(command: Command): Promise<object> {
  if (command.kind === 'gather') return gather(command.options);
  if (crowd === undefined) throw new Error('there is no crowd yet');
  return command.kind === 'follow' ? follow(crowd) : settle(crowd);
}

serve((command) => obey(command as Command));
