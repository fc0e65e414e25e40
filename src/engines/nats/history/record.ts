import type { LastValueSlot } from '../../../core/ports/broker.ts';

/** A message as the stream stores it, and its place. */
export interface HistoryRecord {
  /** The stream's sequence, which grows over all rooms. */
  readonly seq: number;
  /** When it was published, by the publishing pod's copy of the server's clock. */
  readonly at: number;
  /** When it was stored; later than `at` if it was delayed on the way. */
  readonly placedAt: number;
  /** How often the history had gone back by then. It is a part of the message's id. */
  readonly times: number;
  readonly provisionalId: string;
  readonly trace: string | undefined;
  readonly body: string;
  /** Where the message became the value of its room; empty: nowhere. */
  readonly slot: LastValueSlot['slot'] | '';
}

/**
 * The header that names the slot of a message that became the value of its room. Earlier releases read the message
 * without it.
 */
export const SLOT_HEADER = 'Crosspod-Value';

const LINE_END = 10;
const HEAD = /^(\S+) (\d{1,15}) (\d{1,6}) (\S*)$/;

/** A line of words separated by blanks, then the body. */
export function writeRecord({
  at,
  times,
  provisionalId,
  trace = '',
  body,
}: Omit<HistoryRecord, 'seq' | 'placedAt' | 'slot'>): string {
  return `${provisionalId} ${at} ${times} ${trace}\n${body}`;
}

/**
 * What another program wrote gets no `provisionalId`, and an age beyond everything that is read. `placedAt` is by the
 * server's clock, or by this pod's copy of it. `slot`: what the header says.
 */
export function readRecord(seq: number, bytes: Uint8Array, placedAt: number, slot = ''): HistoryRecord {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = buffer.indexOf(LINE_END);
  const head = buffer.toString('latin1', 0, Math.max(end, 0));
  const [, provisionalId = '', at, times, trace] = HEAD.exec(head) ?? [];
  if (provisionalId === '')
    return { seq, at: 0, placedAt: 0, times: 0, provisionalId, trace: undefined, body: '', slot: '' };
  const body = buffer.toString('utf8', end + 1);
  return {
    seq,
    at: Number(at),
    placedAt: Math.max(Number(at), placedAt),
    times: Number(times),
    provisionalId,
    trace: trace || undefined,
    body,
    slot: slot === 'any' || slot === 'server' ? slot : '',
  };
}
