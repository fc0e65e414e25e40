import type { Evidence, Violation } from './evidence.ts';
import type { LogLine } from '../pods/pod.ts';

/** Frames that a client may be given while nothing happens: pongs, and what it is told where it, or another, is moved to balance the pods. */
const MOST_FRAMES = 30;
/** What a pod may write to one server meanwhile: its lease, probes, lists. */
const MOST_WRITES = 40;
/** Frames for each message of a run, at most, that a client may be given in all. */
const MOST_PER_MESSAGE = 12;

/** Nothing goes on without end, nothing is an error, and all is well in the end. */
export function judgeRest({ world, quiet, uncaught }: Evidence): Violation[] {
  const violations: Violation[] = [];
  const servers = world.redis.masters.length;
  for (const [client, frames] of quiet.frames) {
    if (frames > MOST_FRAMES)
      violations.push({
        kind: 'restless-client',
        text: `${client} was given ${frames} frames while nothing happened`,
      });
  }
  for (const [pod, writes] of quiet.writes) {
    if (writes > MOST_WRITES * servers)
      violations.push({
        kind: 'restless-pod',
        text: `${pod} wrote ${writes} times to Redis while nothing happened`,
      });
  }
  const most = MOST_PER_MESSAGE * (world.ledger.publications.size + world.plan.steps.length);
  for (const { name, frames } of world.clients) {
    if (frames > most) violations.push({ kind: 'flood', text: `${name} was given ${frames} frames` });
  }
  for (const text of quiet.unready) violations.push({ kind: 'unready', text });
  for (const line of world.log) {
    const { level, pod, text, time } = line;
    if (level !== 'error' || saysWhatWaited(line)) continue;
    violations.push({ kind: 'error-logged', text: `${pod}: ${text}`, time });
  }
  for (const text of uncaught) violations.push({ kind: 'uncaught', text });
  return violations;
}

/** A pod that ends while Redis is away waits five seconds, and then loses what waits and says so (docs/platform/failures.md). */
function saysWhatWaited({ text, isAlone }: LogLine): boolean {
  return isAlone && text.startsWith('the history did not come back: publications are lost');
}
