/** A message as NATS keeps it, and its place. */
export interface HistoryRecord {
  /** The stream's sequence: it grows over all rooms. */
  readonly seq: number;
  /** When it was published, by the clock of the pod that did: pods are expected to keep time. */
  readonly at: number;
  /** When it got its place: later than `at`, where it was held up on the way. */
  readonly placedAt: number;
  /** How often the history had gone back by then: that is in the message's id. */
  readonly times: number;
  readonly provisionalId: string;
  readonly trace: string | undefined;
  readonly body: string;
}

const LINE_END = 10;
const HEAD = /^(\S+) (\d{1,15}) (\d{1,6}) (\S*)$/;

/** What is before the body: words parted by blanks, on a line of their own. */
export function writeRecord({
  at,
  times,
  provisionalId,
  trace = '',
  body,
}: Omit<HistoryRecord, 'seq' | 'placedAt'>): string {
  return `${provisionalId} ${at} ${times} ${trace}\n${body}`;
}

/**
 * What a stranger has put there has no name and is older than anything that is given to anybody. `placedAt` is by the
 * clock of the server, or of this pod.
 */
export function readRecord(seq: number, bytes: Uint8Array, placedAt: number): HistoryRecord {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = buffer.indexOf(LINE_END);
  const head = buffer.toString('latin1', 0, Math.max(end, 0));
  const [, provisionalId = '', at, times, trace] = HEAD.exec(head) ?? [];
  if (provisionalId === '')
    return { seq, at: 0, placedAt: 0, times: 0, provisionalId, trace: undefined, body: '' };
  const body = buffer.toString('utf8', end + 1);
  return {
    seq,
    at: Number(at),
    placedAt: Math.max(Number(at), placedAt),
    times: Number(times),
    provisionalId,
    trace: trace || undefined,
    body,
  };
}
