import { expect, onTestFinished, test } from 'vitest';
import { eventually, podOn, ready, SLOW } from '../../faults/world.ts';
import { expectEverythingOnce, startTalk } from '../../faults/judge.ts';
import { type Proxy, startProxy } from '../../support/proxy.ts';
import type { PodProcess } from '../../support/stack/pods.ts';
import { natsOf } from './world.ts';
import { Witness } from '../../faults/witness.ts';

/** Two pods, the first of which reaches NATS through a proxy that can break the connection. */
async function world(): Promise<{ proxy: Proxy; here: PodProcess; there: PodProcess }> {
  const nats = await natsOf();
  const proxy = await startProxy(nats.port);
  onTestFinished(() => proxy.stop());
  const here = await podOn({ env: { ...nats.env, NATS_URL: `nats://127.0.0.1:${proxy.port}` } });
  return { proxy, here, there: await podOn(nats) };
}

/** Breaks the connection, and restores it. */
const FAULTS: Record<string, (proxy: Proxy, heard: () => number) => Promise<void>> = {
  'is reset again and again': async (proxy, heard) => {
    for (let n = 0; n < 5; n += 1) {
      const before = heard();
      await eventually('some talk', () => heard() > before + 20);
      proxy.breakAll();
    }
  },
  'takes nothing to NATS any more': async (proxy, heard) => {
    const before = heard();
    proxy.silence('to-server');
    await eventually('that it goes on', () => heard() > before + 400);
    proxy.resume();
  },
  'brings everything late, again and again': async (proxy, heard) => {
    // Less and more than ANSWER_MS.
    for (const talk of [100, 150, 250, 300]) {
      const before = heard();
      proxy.silence('to-client');
      await eventually('that it goes on', () => heard() > before + talk);
      proxy.resume();
    }
  },
  'no longer brings anything from NATS': async (proxy, heard) => {
    const before = heard();
    proxy.silence('to-client');
    await eventually('that it goes on', () => heard() > before + 400);
    proxy.resume();
  },
};

test.for(Object.keys(FAULTS))(
  'The connection to NATS %s under load: no client misses a message',
  SLOW,
  async (name) => {
    const { proxy, here, there } = await world();
    const speakers = [
      await Witness.join(here, 'room', 'alice'),
      await Witness.join(here, 'room', 'bob'),
      await Witness.join(there, 'room', 'carol'),
    ];
    for (const one of speakers.slice(1, 2)) one.wantsAcks = false;
    const quiet = [await Witness.join(here, 'room', 'quiet'), await Witness.join(there, 'room', 'calm')];
    const talk = startTalk(speakers);
    await eventually('some talk', () => quiet.every((one) => one.heard().length > 50));
    await FAULTS[name]?.(proxy, () => quiet[1]?.heard().length ?? 0);
    await ready(here, there);
    const after = quiet.map((one) => one.heard().length);
    await eventually('more talk', () => quiet.every((one, n) => one.heard().length > (after[n] ?? 0) + 50));
    talk.stop();
    await expectEverythingOnce([...speakers, ...quiet], speakers);
    for (const one of [...speakers, ...quiet]) expect(one.losses()).toEqual([]);
  },
);
