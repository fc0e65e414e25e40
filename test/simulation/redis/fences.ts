import type { Traits } from './command.ts';
import { Refused } from './replies.ts';
import type { ServerState } from './state.ts';

const MISCONF =
  "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that may modify the data set are disabled, because this instance is configured to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB error.";

const READONLY = new Refused("READONLY You can't write against a read only replica.");
const FENCES = {
  READONLY,
  NOREPLICAS: new Refused('NOREPLICAS Not enough good replicas to write.'),
  MISCONF: new Refused(MISCONF),
  OOM: new Refused("OOM command not allowed when used memory > 'maxmemory'."),
  LOADING: new Refused('LOADING Redis is loading the dataset in memory'),
  MASTERDOWN: new Refused("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."),
};

/** How a server refuses a command for the state that it is in; undefined: it takes it. */
export function fence({ refusal, master }: ServerState, name: string, traits: Traits): Refused | undefined {
  if (refusal === 'OOM' && traits.grows) return FENCES.OOM;
  if (refusal === 'MISCONF' && (traits.writes || name === 'PING')) return FENCES.MISCONF;
  if (refusal === 'NOREPLICAS' && traits.writes) return FENCES.NOREPLICAS;
  if ((refusal === 'READONLY' || master !== undefined) && traits.writes) return READONLY;
  if ((refusal === 'LOADING' || refusal === 'MASTERDOWN') && !traits.always) return FENCES[refusal];
  return undefined;
}
