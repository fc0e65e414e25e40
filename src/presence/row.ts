import type { Member } from '../protocol/event.ts';

/** Reads a row of the presence hash; what another program wrote there may lack a status. Undefined for what is none. */
export function readRow(row: string): Member | undefined {
  try {
    const read = JSON.parse(row) as Record<string, unknown>;
    const { user_id: userId, status, meta, updated_at: updatedAt } = read;
    if (typeof userId !== 'string') return undefined;
    return {
      userId,
      status: status === 'away' ? 'away' : 'online',
      meta: JSON.stringify(typeof meta === 'object' && meta !== null ? meta : {}),
      updatedAt: typeof updatedAt === 'number' ? updatedAt : 0,
    };
  } catch {
    return undefined;
  }
}
