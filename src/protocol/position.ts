/**
 * A place in a room's history, written `<epoch>.<milliseconds>-<sequence>`; opaque to clients. The epoch names one
 * history: after its data was lost another epoch begins, and positions of two epochs cannot be compared.
 */
export interface Position {
  readonly epoch: string;
  readonly ms: number;
  readonly seq: number;
}

const FORM = /^([A-Za-z0-9]{1,32})\.(\d{1,15})-(\d{1,15})$/;

export function parsePosition(text: string): Position | undefined {
  const [, epoch, ms, seq] = FORM.exec(text) ?? [];
  return epoch === undefined ? undefined : { epoch, ms: Number(ms), seq: Number(seq) };
}

export function formatPosition({ epoch, ms, seq }: Position): string {
  return `${epoch}.${ms}-${seq}`;
}

/** Negative where `a` is earlier than `b`; both of one epoch. */
export function comparePositions(a: Position, b: Position): number {
  return a.ms - b.ms || a.seq - b.seq;
}
