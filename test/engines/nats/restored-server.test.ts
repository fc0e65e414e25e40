import { cpSync, rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { allHeard, expectNoRepeat, saidBy } from '../../faults/judge.ts';
import { degraded, eventually, podsOn, ready, SLOW } from '../../faults/world.ts';
import { join } from 'node:path';
import { natsOf } from './world.ts';
import { parsePosition } from '../../../src/protocol/position.ts';
import { Witness } from '../../faults/witness.ts';

function epochOf({ position }: Witness): string | undefined {
  return parsePosition(position)?.epoch;
}

test('NATS restored from a backup: old positions are lost, and no later message is', SLOW, async () => {
  const nats = await natsOf();
  const [store, saved] = [join(nats.folder, 'store'), join(nats.folder, 'saved')];
  const [here, there] = await podsOn(nats);
  await ready(here, there);
  const alice = await Witness.join(here, 'room', 'alice');
  const bob = await Witness.join(there, 'room', 'bob');
  const early = await Witness.join(there, 'room', 'early');
  for (let n = 0; n < 5; n += 1) alice.say();
  await allHeard([alice, bob, early], saidBy([alice]));
  await early.leave();
  await nats.stop();
  cpSync(store, saved, { recursive: true });
  await nats.start();
  await ready(here, there);
  const before = epochOf(alice);
  for (let n = 0; n < 5; n += 1) alice.say();
  await allHeard([alice, bob], saidBy([alice]));
  expect(epochOf(bob)).toBe(before);
  await nats.stop();
  await degraded(here, there);
  rmSync(store, { recursive: true });
  cpSync(saved, store, { recursive: true });
  await nats.start();
  await ready(here, there);
  for (let n = 0; n < 5; n += 1) alice.say();
  for (const one of [alice, bob]) {
    await allHeard([one], saidBy([alice]));
    await eventually(`${one.user} to be told`, () => one.losses().length > 0);
    expect(one.losses()).toEqual(['history_lost']);
  }
  expect(epochOf(alice)).not.toBe(before);
  expect(epochOf(alice)).toBe(epochOf(bob));
  await early.return(here);
  expect(await early.verdict()).toMatchObject({ recovered: false, reason: 'history_lost' });
  expectNoRepeat([alice, bob, early]);
});
