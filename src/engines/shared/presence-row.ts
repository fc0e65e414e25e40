import type { Member } from '../../protocol/event.ts';

const NO_META = '{}';

/** Reads a row of the presence hash; what another program wrote there may lack a status. Undefined for what is none. */
export function readRow(row: string): Member | undefined {
  try {
    return memberIn(JSON.parse(row) as Record<string, unknown>);
  } catch {
    return undefined;
  }
}

/** The member that the fields of a row are about; undefined where they say none. */
export function memberIn({
  user_id: userId,
  status,
  meta,
  updated_at: updatedAt,
}: RowFields): Member | undefined {
  if (typeof userId !== 'string') return undefined;
  return {
    userId,
    status: status === 'away' ? 'away' : 'online',
    meta: metaIn(meta),
    updatedAt: typeof updatedAt === 'number' ? updatedAt : 0,
  };
}

/** Most have none: that is kept once. */
function metaIn(meta: unknown): string {
  const text = typeof meta === 'object' && meta !== null ? JSON.stringify(meta) : NO_META;
  return text === NO_META ? NO_META : text;
}

export type RowFields = Record<string, unknown>;
