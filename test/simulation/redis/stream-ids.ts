import type { IdPart, StreamId } from './data.ts';
import { Refused } from './replies.ts';

export const BAD_ID = new Refused('ERR Invalid stream ID specified as stream command argument');
const LARGEST = 2n ** 64n - 1n;
export const ZERO: StreamId = { ms: 0, seq: 0 };
export const MOST: StreamId = { ms: LARGEST, seq: LARGEST };

/** `<ms>-<seq>`, or `<ms>` alone, which stands for that with this sequence. Raises Refused. */
export function idIn(text: string, sequence: IdPart): StreamId {
  const [, ms, seq] = /^(\d{1,20})(?:-(\d{1,20}))?$/.exec(text) ?? [];
  if (ms === undefined) throw BAD_ID;
  return { ms: partIn(ms), seq: seq === undefined ? sequence : partIn(seq) };
}

export function idText({ ms, seq }: StreamId): string {
  return `${ms}-${seq}`;
}

/** Below 0 where the first is the smaller one. A number and a bigint compare by their exact values. */
export function compareIds(one: StreamId, other: StreamId): number {
  if (one.ms < other.ms) return -1;
  if (one.ms > other.ms) return 1;
  if (one.seq < other.seq) return -1;
  return Number(one.seq > other.seq);
}

/** The first id after this one. Raises Refused where there is none. */
export function idAfter({ ms, seq }: StreamId, refusal: Refused): StreamId {
  if (seq < LARGEST) return { ms, seq: small(BigInt(seq) + 1n) };
  if (ms < LARGEST) return { ms: small(BigInt(ms) + 1n), seq: 0 };
  throw refusal;
}

/** The last id before this one. Raises Refused where there is none. */
export function idBefore({ ms, seq }: StreamId, refusal: Refused): StreamId {
  if (seq > 0) return { ms, seq: small(BigInt(seq) - 1n) };
  if (ms > 0) return { ms: small(BigInt(ms) - 1n), seq: LARGEST };
  throw refusal;
}

function partIn(digits: string): IdPart {
  if (digits.length <= 15) return Number(digits);
  const part = BigInt(digits);
  if (part > LARGEST) throw BAD_ID;
  return small(part);
}

function small(part: bigint): IdPart {
  return part <= Number.MAX_SAFE_INTEGER ? Number(part) : part;
}
