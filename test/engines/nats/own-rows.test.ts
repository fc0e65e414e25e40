import { expect, test } from 'vitest';
import { Tombstones } from '../../../src/engines/nats/presence/tombstones.ts';
import { natsUnavailable } from '../../../src/engines/nats/connection/answers.ts';
import { Names } from '../../../src/engines/nats/connection/names.ts';
import type { NatsBackbone } from '../../../src/engines/nats/connection/backbone.ts';
import { OwnRows } from '../../../src/engines/nats/presence/own-rows.ts';
import { setImmediate } from 'node:timers/promises';
import { TestClock } from '../../support/test-clock.ts';
import { rowSubject } from '../../../src/engines/nats/presence/row.ts';

/** The rows of a pod whose server takes them as `store` does. */
async function ownRows(
  clock: TestClock,
  store: (subject: string) => Promise<void>,
): Promise<{ rows: OwnRows; names: Names }> {
  const names = new Names('test');
  const link = { prepare() {}, up: true, now: () => 0, store };
  const backbone = {
    clock,
    names,
    link,
    lease: { name: 'pod.0' },
    lookMs: Infinity,
  } as unknown as NatsBackbone;
  const rows = new OwnRows(backbone, new Tombstones(backbone));
  await rows.rewriteAll();
  return { rows, names };
}

test('Rows are written again in turn, also if users join as fast', async () => {
  const clock = new TestClock();
  const written: string[] = [];
  const { rows, names } = await ownRows(clock, (subject) => Promise.resolve(void written.push(subject)));
  const come = (n: number): void => {
    rows.open('r', `user-${n}`, undefined).inFlight = undefined;
  };
  for (let n = 0; n < 3; n += 1) come(n);
  rows.start();
  for (let n = 3; n < 20; n += 1) {
    clock.advance(2_000);
    await setImmediate();
    // All rows have come back.
    for (const own of rows.all) own.inFlight = undefined;
    come(n);
  }
  const times = (n: number): number =>
    written.filter(
      (subject) => subject === rowSubject(names, 'r', { pod: 'pod', generation: 0 }, `user-${n}`),
    ).length;
  expect([times(0), times(1)]).toEqual([3, 3]);
});

test('A row that a busy server refused is written again before its turn', async () => {
  const clock = new TestClock();
  const written: string[] = [];
  let isBusy = false;
  const { rows, names } = await ownRows(clock, (subject) =>
    isBusy
      ? Promise.reject(natsUnavailable('too many requests'))
      : Promise.resolve(void written.push(subject)),
  );
  // So many that the turn of each row comes much later.
  for (let n = 0; n < 1_000; n += 1) rows.open('r', `user-${n}`, undefined);
  rows.start();
  isBusy = true;
  const last = rows.open('r', 'last', undefined);
  await expect(rows.write(last, 'enter')).rejects.toThrow('too many requests');
  isBusy = false;
  expect(written).toEqual([]);
  clock.advance(2_000);
  await setImmediate();
  expect(written).toContain(rowSubject(names, 'r', { pod: 'pod', generation: 0 }, 'last'));
});
