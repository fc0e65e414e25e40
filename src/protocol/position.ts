/**
 * A message's place in a room's history, written `<epoch>.<room tag>.<milliseconds>-<sequence>`; opaque to clients. A
 * new epoch begins when the data of the history was lost; positions of two epochs cannot be compared. The tag
 * distinguishes the positions of one room from those of another (docs/adr/0001-positions.md).
 */
export interface Position {
  readonly epoch: string;
  readonly tag: string;
  readonly ms: number;
  readonly seq: number;
}

const FORM = /^([A-Za-z0-9]{1,32})\.([a-z0-9]{1,7})\.(\d{1,15})-(\d{1,15})$/;

export function parsePosition(text: string): Position | undefined {
  const [, epoch, tag, ms, seq] = FORM.exec(text) ?? [];
  if (epoch === undefined || tag === undefined) return undefined;
  return { epoch, tag, ms: Number(ms), seq: Number(seq) };
}

export function formatPosition({ epoch, tag, ms, seq }: Position): string {
  return `${epoch}.${tag}.${ms}-${seq}`;
}

/** A position without its epoch and room. */
export type Moment = Pick<Position, 'ms' | 'seq'>;

/** Negative if `a` is earlier than `b`. Both must be of the same epoch. */
export function comparePositions(a: Moment, b: Moment): number {
  return a.ms - b.ms || a.seq - b.seq;
}

/** A short hash of a room's name (FNV-1a, 32 bits). */
export function roomTag(room: string): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < room.length; index += 1) {
    hash = Math.imul(hash ^ room.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 0).toString(36);
}
