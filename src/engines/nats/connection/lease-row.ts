import type { Load } from '../../../core/ports/directory.ts';

/** A lease, as it is kept. */
export interface LeaseRow {
  /** It ends when it is not renewed for so long. */
  readonly leaseMs: number;
  /** Of a pod that takes connections. */
  readonly load?: Load | undefined;
  /** Its pod has stopped and will not renew it. */
  readonly endsInMs?: number | undefined;
  /** It has ended; the pod that is to bury its own. */
  readonly givenTo?: string | undefined;
}

/** Undefined: there is none any more. */
export function leaseText(row: LeaseRow | undefined): string {
  if (row === undefined) return '';
  const { leaseMs, load, endsInMs, givenTo } = row;
  return JSON.stringify({
    lease_ms: leaseMs,
    connections: load?.connections,
    since: load?.since,
    ends_in_ms: endsInMs,
    given_to: givenTo,
  });
}

/** Undefined for none, and for what another program wrote there. */
export function readLease(data: Uint8Array): LeaseRow | undefined {
  try {
    const read = JSON.parse(Buffer.from(data).toString()) as Record<string, unknown>;
    const { lease_ms: leaseMs, connections, since, ends_in_ms: endsInMs, given_to: givenTo } = read;
    if (typeof leaseMs !== 'number') return undefined;
    const hasLoad = typeof connections === 'number' && typeof since === 'number';
    return {
      leaseMs,
      load: hasLoad ? { connections, since } : undefined,
      endsInMs: typeof endsInMs === 'number' ? endsInMs : undefined,
      givenTo: typeof givenTo === 'string' ? givenTo : undefined,
    };
  } catch {
    return undefined;
  }
}
