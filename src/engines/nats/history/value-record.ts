import type { LastValue } from '../../../core/ports/broker.ts';
import { parsePosition } from '../../../protocol/position.ts';

/** The value of a room, and when its message was published, in milliseconds since 1970. */
export interface DatedValue extends LastValue {
  readonly at: number;
}

/** `<ms> <id> <provisional id, or nothing>`, then the body on a line of its own. */
const VALUE = /^(\d{1,15}) (\S+) (\S*)\n([^]*)$/;

export function writeValue({ at, id, provisionalId = '', body }: DatedValue): string {
  return `${at} ${id} ${provisionalId}\n${body}`;
}

/** Undefined for what another program wrote. */
export function readValue(text: string): DatedValue | undefined {
  const [, at, id, provisionalId, body] = VALUE.exec(text) ?? [];
  if (id === undefined || body === undefined) return undefined;
  return { at: Number(at), id, body, ...(provisionalId && { provisionalId }) };
}

/** Whether the history stored `one` after `other`, or the same message; undefined: it does not know both. */
export function isStoredAfter(one: LastValue, other: LastValue): boolean | undefined {
  const [first, second] = [parsePosition(one.id), parsePosition(other.id)];
  if (first === undefined || second === undefined || first.epoch !== second.epoch) return undefined;
  return first.ms >= second.ms;
}

/** The later of two values. */
export function laterValue(
  one: DatedValue | undefined,
  other: DatedValue | undefined,
): DatedValue | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return (isStoredAfter(one, other) ?? one.at >= other.at) ? one : other;
}
