import { expect, test } from 'vitest';
import { PresenceRows, readRow } from '../../../src/engines/shared/presence-row.ts';

const rowOf = (n: number, meta: object = {}): string =>
  JSON.stringify({ user_id: `user-${n}`, status: 'away', meta, updated_at: n });

test('a row gives one object, and another row another one', () => {
  const rows = new PresenceRows();
  const first = rows.read(rowOf(1));
  expect(first).toEqual({ userId: 'user-1', status: 'away', meta: '{}', updatedAt: 1 });
  expect(rows.read(rowOf(1))).toBe(first);
  expect(rows.read(rowOf(1, { name: 'x' }))).toEqual({ ...first, meta: '{"name":"x"}' });
  expect(rows.read('no row')).toBeUndefined();
});

test('any number of rows is read', () => {
  const rows = new PresenceRows();
  for (let n = 0; n < 10_000; n += 1) expect(rows.read(rowOf(n))).toEqual(readRow(rowOf(n)));
});
