import { describe, expect, test } from 'vitest';
import { SlotMap, slotOf } from '../../../src/engines/redis/connection/slots.ts';

const ASKED = { host: 'asked', port: 7000 };
const SLOTS = [
  [0, 8_191, ['10.0.0.1', 7000, 'id-1', []], ['10.0.0.2', 7000, 'id-2', []]],
  [8_192, 16_383, [null, 7001, 'id-3', []]],
];

describe('The map of slots', () => {
  test('stays the same object while the Cluster answers the same', () => {
    const map = SlotMap.empty.or(SLOTS, ASKED);
    expect(map.or(structuredClone(SLOTS), ASKED)).toBe(map);
    expect(map.slotsElsewhereThan(map)).toEqual(new Set());
  });

  test('is another one when a slot moves, a replica appears, or another server answers for itself', () => {
    const map = SlotMap.empty.or(SLOTS, ASKED);
    const [first, second] = SLOTS;
    const moved = map.or(
      [
        [0, 8_190, ...(first?.slice(2) ?? [])],
        [8_191, ...(second?.slice(1) ?? [])],
      ],
      ASKED,
    );
    expect(moved.slotsElsewhereThan(map)).toEqual(new Set([8_191]));
    expect(moved.ownerOf(8_191)).toBe('asked:7001');
    const grown = map.or([first, [...(second ?? []), ['10.0.0.4', 7000, 'id-4', []]]], ASKED);
    expect(grown.servers).toContainEqual({ host: '10.0.0.4', port: 7000 });
    expect(grown.slotsElsewhereThan(map)).toEqual(new Set());
    expect(map.or(SLOTS, { host: 'other', port: 7000 }).ownerOf(16_383)).toBe('other:7001');
  });

  test('knows the owner of each slot, and nothing without an answer', () => {
    const map = SlotMap.empty.or(SLOTS, ASKED);
    expect([0, 8_191, 8_192].map((slot) => map.ownerOf(slot))).toEqual([
      '10.0.0.1:7000',
      '10.0.0.1:7000',
      'asked:7001',
    ]);
    expect(SlotMap.empty.ownerOf(slotOf('room'))).toBeUndefined();
    expect(SlotMap.empty.or([], ASKED)).toBe(SlotMap.empty);
  });
});
