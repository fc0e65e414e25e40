import type { Load } from '../../../core/ports/directory.ts';

/** A lease as it is stored. */
export interface LeaseRow {
  /** The lease expires this long after its last renewal. */
  readonly leaseMs: number;
  /** Undefined for a pod that takes no connections. */
  readonly load?: Load | undefined;
  /** Set: the pod has stopped, and the lease expires after so long. */
  readonly endsInMs?: number | undefined;
  /** Set: the lease has expired, and this pod shall reap the rows under it. */
  readonly givenTo?: string | undefined;
}

/** The text for undefined marks a lease that was removed. */
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

/** Undefined for a removed lease, and for what another program wrote. */
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
