import { type LookupAddress, type LookupAllOptions, lookup as ask } from 'node:dns';
import type { Clock } from '../../../core/ports/clock.ts';
import type { LookupFunction } from 'node:net';

/** DNS that is there answers within a few milliseconds; what comes later is remembered for the next time. */
const PATIENCE_MS = 500;

type Answer = (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void;
type Ask = (host: string, options: LookupAllOptions, answer: Answer) => void;

/**
 * Looks a name up as Node does, and falls back on what it found the last time while DNS is silent or says that it
 * cannot tell (`EAI_AGAIN`): servers stay where they are when DNS goes, and whoever asks a Sentinel for the new master
 * must get there. A name that DNS says there is none of is gone, whatever was known: its address may be somebody else's.
 * The addresses found are kept for as long as the function is, a handful for each client of Redis.
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
    const cancel = clock.after(PATIENCE_MS, () => void fallBack());
    askDns(host, { ...options, all: true }, (error, addresses) => {
      if (error === null) known.set(keyOf(host, options.family), addresses);
      if (error?.code !== 'EAI_AGAIN' || !fallBack()) answer(error, error === null ? addresses : []);
    });
  };
}

function keyOf(host: string, family: LookupAllOptions['family']): string {
  return `${host} ${family ?? 0}`;
}
