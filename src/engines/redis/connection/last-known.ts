import { type LookupAddress, type LookupAllOptions, lookup as ask } from 'node:dns';
import type { Clock } from '../../../core/ports/clock.ts';
import type { LookupFunction } from 'node:net';

/** Working DNS answers within a few milliseconds; a later answer is remembered for the next time. */
const SILENT_MS = 500;

type Answer = (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void;
type Ask = (host: string, options: LookupAllOptions, answer: Answer) => void;

/**
 * Looks a name up as Node does, and falls back on the addresses of the last time while DNS does not answer or cannot
 * tell (`EAI_AGAIN`): servers stay where they are when DNS fails, and a pod must still reach a Sentinel to ask for the
 * new master. If DNS says that a name does not exist, that is the answer: its last address may belong to another host
 * now. The function remembers every address for as long as it lives; one pod needs one, for all its clients of Redis.
 */
export function lastKnown(clock: Clock, askDns: Ask = ask): LookupFunction {
  const known = new Map<string, LookupAddress[]>();
  return (host, options, give) => {
    let isGiven = false;
    const answer: Answer = (error, addresses) => {
      if (isGiven) return;
      isGiven = true;
      cancel();
      const [first] = addresses;
      if (options.all === true) give(error, addresses);
      else give(error, first?.address ?? '', first?.family);
    };
    const fallBack = (): boolean => {
      const before = known.get(keyOf(host, options.family));
      if (before !== undefined) answer(null, before);
      return before !== undefined;
    };
    const cancel = clock.after(SILENT_MS, () => void fallBack());
    askDns(host, { ...options, all: true }, (error, addresses) => {
      if (error === null) known.set(keyOf(host, options.family), addresses);
      if (error?.code !== 'EAI_AGAIN' || !fallBack()) answer(error, error === null ? addresses : []);
    });
  };
}

function keyOf(host: string, family: LookupAllOptions['family']): string {
  return `${host} ${family ?? 0}`;
}
