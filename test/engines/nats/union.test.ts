import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type LeaseName,
  type PodRow,
  type RoomChange,
  Union,
} from '../../../src/engines/nats/presence/union.ts';
import { OwnMember } from '../../../src/engines/nats/presence/own-member.ts';

/** What is in the stream: rows, and the ends of leases. */
type Entry =
  | { readonly subject: string; readonly room: string; readonly lease: LeaseName; readonly row: PodRow }
  | { readonly subject: string; readonly lease: LeaseName; readonly row?: undefined };

/** What happens; `late`: a row of the name that the pod had before; `over`: that one is. */
const action = fc.record({
  kind: fc.constantFrom('enter', 'return', 'state', 'lose', 'exit', 'exit', 'renewed', 'over', 'late'),
  pod: fc.nat(2),
  room: fc.constantFrom('r', 's'),
  user: fc.constantFrom('alice', 'bob', 'carol'),
  connection: fc.nat(1),
});
type Action = typeof action extends fc.Arbitrary<infer Value> ? Value : never;

/** Pods that write as pods do. */
class Writers {
  readonly entries: Entry[] = [];
  readonly #own = new Map<string, OwnMember>();
  readonly #generations = [0, 0, 0];
  #versions = 0;

  act({ kind, pod, room, user, connection }: Action): void {
    if (kind === 'renewed') return this.#renew(pod);
    if (kind === 'over') return this.#endFormer(pod);
    const key = `${pod} ${room} ${user}`;
    const own = this.#own.get(key) ?? new OwnMember(room, user, () => (this.#versions += 1));
    this.#own.set(key, own);
    const who = { userId: user, connectionId: `${pod}-${connection}` };
    const at = this.entries.length + 1;
    if (kind === 'enter' || kind === 'return') own.enter(who, at, kind === 'return');
    if (kind === 'state') own.state(who, { status: 'away' }, { seconds: at, statedAt: at }, false);
    if (kind === 'lose' && !own.lose(who, at)) return;
    if (kind === 'exit' && !own.exit(who, at)) return;
    const generation = (this.#generations[pod] ?? 0) - (kind === 'late' ? 1 : 0);
    if (generation >= 0) this.#write(own, { pod: `pod${pod}`, generation });
  }

  /** The pod registers all it has under its next name; the one before counts until it is over. */
  #renew(pod: number): void {
    const generation = (this.#generations[pod] = (this.#generations[pod] ?? 0) + 1);
    const lease = { pod: `pod${pod}`, generation };
    for (const [key, own] of this.#own) {
      if (!key.startsWith(`${pod} `)) continue;
      own.startLease();
      if (!own.isGone) this.#write(own, lease);
    }
  }

  #endFormer(pod: number): void {
    const generation = (this.#generations[pod] ?? 0) - 1;
    if (generation >= 0)
      this.entries.push({ subject: `end ${pod}`, lease: { pod: `pod${pod}`, generation } });
  }

  #write(own: OwnMember, lease: LeaseName): void {
    const subject = `${own.room} ${lease.pod}.${lease.generation} ${own.userId}`;
    this.entries.push({ subject, room: own.room, lease, row: own.row });
  }
}

function written(actions: readonly Action[]): readonly Entry[] {
  const writers = new Writers();
  for (const one of actions) writers.act(one);
  return writers.entries;
}

/** Puts the entries into the union, and returns the changes. */
function take(union: Union, entries: readonly Entry[]): RoomChange[] {
  return entries.flatMap((entry, n) => {
    if (entry.row === undefined) {
      union.endLease(entry.lease, n, 'pod0');
      return union.takeLeft();
    }
    const { change } = union.put(entry.room, entry.lease, entry.row, n);
    return change === undefined ? [] : { room: entry.room, change };
  });
}

/** What a stream that stores the last message of each subject still has. */
function kept(entries: readonly Entry[]): Entry[] {
  return entries.filter(({ subject }, n) => !entries.slice(n + 1).some((later) => later.subject === subject));
}

/** The present users: those with connections under a lease that has not ended. */
function expected(entries: readonly Entry[], room: string): string[] {
  const users = new Set<string>();
  const over = (lease: LeaseName): boolean =>
    entries.some(
      (end) =>
        end.row === undefined && end.lease.pod === lease.pod && end.lease.generation >= lease.generation,
    );
  for (const entry of kept(entries))
    if (entry.row !== undefined && entry.room === room && entry.row.connections > 0 && !over(entry.lease))
      users.add(entry.row.member.userId);
  return [...users].toSorted();
}

const usersIn = (union: Union, room: string): string[] =>
  union
    .list(room, 100)
    .members.map(({ userId }) => userId)
    .toSorted();

const stories = fc.array(action, { maxLength: 60 });

describe('The union of all pods’ rows', () => {
  test('has the users of the last rows under leases that have not ended', () => {
    fc.assert(
      fc.property(stories, (actions) => {
        const entries = written(actions);
        const union = new Union();
        take(union, entries);
        for (const room of ['r', 's']) {
          expect(usersIn(union, room)).toEqual(expected(entries, room));
          expect(union.list(room, 0).count).toBe(expected(entries, room).length);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('gives one leave for each join, with the count at that time', () => {
    fc.assert(
      fc.property(stories, (actions) => {
        const there = new Map([
          ['r', new Set<string>()],
          ['s', new Set<string>()],
        ]);
        const told = take(new Union(), written(actions));
        for (const { room, change } of told) {
          const users = there.get(room) ?? new Set();
          const { userId } = change.member;
          expect(users.has(userId)).toBe(change.kind !== 'join');
          if (change.kind === 'join') users.add(userId);
          if (change.kind === 'leave') users.delete(userId);
          expect(change.count).toBe(users.size);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('gives no leave that other pods did not see, also on a pod that lags and reads only what is still stored', () => {
    fc.assert(
      fc.property(stories, fc.nat(60), (actions, came) => {
        const entries = written(actions);
        const rest = kept(entries.slice(came));
        const lagging = new Union();
        const told = take(lagging, entries.slice(0, came));
        // All of the rest comes before it is up to date.
        for (const [n, entry] of rest.entries()) {
          if (entry.row === undefined) lagging.endLease(entry.lease, n, 'pod0');
          else told.push(...take(lagging, [entry]));
        }
        told.push(...lagging.takeLeft());
        const leaves = (changes: RoomChange[]): Map<string, number> => {
          const by = new Map<string, number>();
          for (const { room, change } of changes) {
            const key = `${room} ${change.member.userId}`;
            if (change.kind === 'leave') by.set(key, (by.get(key) ?? 0) + 1);
          }
          return by;
        };
        const all = leaves(take(new Union(), entries));
        const tooMany = [...leaves(told)].filter(([key, count]) => count > (all.get(key) ?? 0));
        expect(tooMany).toEqual([]);
        for (const room of ['r', 's']) expect(usersIn(lagging, room)).toEqual(expected(entries, room));
      }),
      { numRuns: 1_000 },
    );
  });

  test('is the same on a pod that started late, read what was stored, and then receives the rest', () => {
    fc.assert(
      fc.property(stories, fc.nat(60), (actions, came) => {
        const entries = written(actions);
        const [early, late] = [new Union(), new Union()];
        take(early, entries.slice(0, came));
        take(late, kept(entries.slice(0, came)));
        const rest = entries.slice(came);
        const joinsAndLeaves = (changes: RoomChange[]): unknown[][] =>
          changes
            .filter(({ change }) => change.kind !== 'update')
            .map(({ room, change }) => [room, change.kind, change.member.userId, change.count]);
        const [told, toldEarly] = [joinsAndLeaves(take(late, rest)), joinsAndLeaves(take(early, rest))];
        for (const room of ['r', 's']) {
          const inRoom = ([one]: unknown[]): boolean => one === room;
          expect(told.filter(inRoom)).toEqual(toldEarly.filter(inRoom));
          expect(usersIn(late, room)).toEqual(usersIn(early, room));
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('A pod that writes all rows under its next lease before the former one has ended', () => {
  const [former, present] = [
    { pod: 'a', generation: 1 },
    { pod: 'a', generation: 2 },
  ];
  const member = { userId: 'alice', status: 'online', meta: '{}', updatedAt: 1 } as const;
  const row = { member, statedAt: 0, connections: 1, came: 0, lost: [7] };

  test('has its lost connections under the next lease', () => {
    const union = new Union();
    union.put('r', former, row, 1);
    union.put('r', present, row, 2);
    expect(union.earliestLost('r', 'alice')).toMatchObject({ lease: present, sequence: 2 });
  });

  test('has a user only under the next lease who was not known before', () => {
    const union = new Union();
    expect(union.isOnlyUnder('r', 'alice', present)).toBe(false);
    union.put('r', present, row, 1);
    expect(union.isOnlyUnder('r', 'alice', present)).toBe(true);
    union.put('r', former, row, 2);
    expect(union.isOnlyUnder('r', 'alice', present)).toBe(false);
  });
});
