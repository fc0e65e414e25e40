import type { Member } from '../../protocol/event.ts';

const NO_META = '{}';

/** Reads a row of the presence hash. Undefined if it is not one; a row of another program may lack fields. */
export function readRow(row: string): Member | undefined {
  try {
    return memberIn(JSON.parse(row) as Record<string, unknown>);
  } catch {
    return undefined;
  }
}

/** So many rows of so many characters each are kept at most: about 1 MB. */
const MOST_ROWS = 4_096;
const MOST_CHARS = 256;

/** Reads rows as `readRow`. The lists of a room have nearly the same rows: each is parsed once, and gives one object. */
export class PresenceRows {
  readonly #members = new Map<string, Member>();

  read(row: string): Member | undefined {
    const known = this.#members.get(row);
    if (known !== undefined) return known;
    const member = readRow(row);
    if (member === undefined || row.length > MOST_CHARS) return member;
    if (this.#members.size === MOST_ROWS) this.#members.clear();
    this.#members.set(row, member);
    return member;
  }
}

/** Undefined if the fields name no user. */
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

/** Most members have no meta: all of them share one string. */
function metaIn(meta: unknown): string {
  const text = typeof meta === 'object' && meta !== null ? JSON.stringify(meta) : NO_META;
  return text === NO_META ? NO_META : text;
}

export type RowFields = Record<string, unknown>;
