import type { Fault } from './faults.ts';
import type { Lines } from './conversion.ts';
import type { RoomRule } from '../core/ports/room-rules.ts';

/** Warnings about rules that hold for no room, because an earlier rule fits all rooms, or the same ones. */
export function unreachable(rules: readonly RoomRule[], lines: Lines): Fault[] {
  const first = new Map<string | undefined, number>();
  return rules.flatMap(({ match }, index) => {
    const earlier = first.get('*') ?? first.get(match);
    if (!first.has(match)) first.set(match, index);
    if (earlier === undefined) return [];
    const text = `rule ${index + 1} holds for no room, because rule ${earlier + 1} fits all of its rooms`;
    return [{ line: lines.ofValue(['rooms', index, 'match']), text }];
  });
}
