import { degraded, eventually, podOn, ready, SLOW } from '../../faults/world.ts';
import { expect, test } from 'vitest';
import { readFileSync, writeFileSync } from 'node:fs';
import { expectEverythingOnce } from '../../faults/judge.ts';
import { join } from 'node:path';
import { metric } from '../../many-pods/world.ts';
import { natsOf } from './world.ts';
import type { NatsServer } from '../../support/stack/nats-server.ts';
import { Witness } from '../../faults/witness.ts';

/** The user `pod` has all rights but one. */
function usersBut(right: string): string {
  const users = [`{ user: pod, password: pod, permissions { ${right} } }`, '{ user: free, password: free }'];
  return `authorization { users: [${users.join(', ')}] }`;
}

/** Changes the right, also for open connections. */
function change(nats: NatsServer, right: string): void {
  const path = join(nats.folder, 'nats.conf');
  writeFileSync(path, readFileSync(path, 'utf8').replace(/^authorization .*$/m, usersBut(right)));
  process.kill(nats.pid ?? 0, 'SIGHUP');
}

const ALL = 'publish { allow: [">"] }';

test.for([
  ['publish { deny: ["realtime.history.>"] }', 'no permission for publish of realtime.history.…'],
  ['subscribe { deny: ["realtime.room.>"] }', 'no permission for subscription of realtime.room.…'],
  [
    'publish { deny: ["$JS.API.STREAM.MSG.GET.realtime-history"] }',
    'no permission for publish of $JS.API.STREAM.MSG.GET.realtime-history',
  ],
] as const)(
  'A pod that loses a right has no NATS until it has the right again, and no message is lost: %s',
  SLOW,
  async ([lost, reason]) => {
    const nats = await natsOf({ config: [usersBut(ALL)] });
    const [here, there] = await Promise.all(
      ['pod', 'free'].map((user) =>
        podOn({ env: { ...nats.env, NATS_URL: `nats://${user}:${user}@127.0.0.1:${nats.port}` } }),
      ),
    );
    if (here === undefined || there === undefined) throw new Error('no pods');
    await ready(here, there);
    const alice = await Witness.join(here, 'room', 'alice');
    const bob = await Witness.join(there, 'room', 'bob');
    for (const one of [alice, bob]) one.say();
    await eventually('all of it', () => [alice, bob].every((one) => one.heard().length === 2));
    change(nats, lost);
    const violations = (): number => nats.output().split('Violation').length - 1;
    await eventually('the loss', async () => {
      for (const one of [alice, bob]) one.say();
      await Witness.join(here, `other-${alice.said}`, 'other');
      return violations() > 0;
    });
    await degraded(here);
    // It tries again, and is not ready in between.
    const losses = await metric(here, 'realtime_nats_losses');
    await eventually('two more attempts', () => violations() >= 3);
    expect(await metric(here, 'realtime_nats_losses')).toBe(losses);
    // A server that reloads its rights may not answer for a moment; then that is the first reason.
    await eventually('the reason in the log', () => here.output().includes(reason));
    for (const one of [alice, bob]) one.say();
    change(nats, ALL);
    await ready(here, there);
    for (const one of [alice, bob]) one.say();
    await expectEverythingOnce([alice, bob], [alice, bob]);
  },
);
