import { expect, test } from 'vitest';
import { memberList, writtenOnce } from '../../src/protocol/member-list.ts';
import type { Member } from '../../src/protocol/event.ts';

function member(n: number, meta = '{}'): Member {
  return { userId: `user-${n}`, status: 'online', meta, updatedAt: n };
}

test('a member is written once, and again when it is another object; a long text is not kept', () => {
  const written: string[] = [];
  const write = writtenOnce(({ userId, meta }) => {
    written.push(userId);
    return `${userId}${meta}`;
  });
  const members = [member(1), member(2), member(3, 'x'.repeat(300))];
  const first = memberList(members, write);
  expect(memberList([...members], write)).toBe(first);
  expect(written).toEqual(['user-1', 'user-2', 'user-3', 'user-3']);
  expect(write({ ...member(1), meta: '{"away":true}' })).toBe('user-1{"away":true}');
});

test('of many members all are written', () => {
  const write = writtenOnce(({ userId }) => userId);
  for (let n = 0; n < 10_000; n += 1) expect(write(member(n))).toBe(`user-${n}`);
});
