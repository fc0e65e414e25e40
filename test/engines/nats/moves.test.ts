import { allAcked, allHeard, expectNoRepeat, saidBy } from '../../faults/judge.ts';
import { degraded, eventually, podOn, ready, SLOW } from '../../faults/world.ts';
import { expect, onTestFinished, test } from 'vitest';
import { type Proxy, startProxy } from '../../support/proxy.ts';
import { natsOf } from './world.ts';
import { Witness } from '../../faults/witness.ts';

/** How one pod alone loses NATS. */
const CUTS: Record<string, (proxy: Proxy) => void> = {
  'from NATS': (proxy) => proxy.silence(),
  'from the answers of NATS': (proxy) => proxy.silence('to-client'),
};

test.for(Object.keys(CUTS))(
  'While one pod is cut %s its clients move to another pod, and others come: no client gets a message twice',
  SLOW,
  async (name) => {
    const nats = await natsOf();
    const proxy = await startProxy(nats.port);
    onTestFinished(() => proxy.stop());
    const here = await podOn({ env: { ...nats.env, NATS_URL: `nats://127.0.0.1:${proxy.port}` } });
    const there = await podOn(nats);
    await ready(here, there);
    const alice = await Witness.join(here, 'room', 'alice');
    const stays = await Witness.join(here, 'room', 'stays');
    const goes = await Witness.join(here, 'room', 'goes');
    const comes = await Witness.join(there, 'room', 'comes');
    const calm = await Witness.join(there, 'room', 'calm');
    const all = [alice, stays, goes, comes, calm];
    for (let n = 0; n < 3; n += 1) alice.say();
    await allHeard(all, saidBy([alice]));
    CUTS[name]?.(proxy);
    for (let n = 0; n < 5; n += 1) alice.say();
    await degraded(here);
    await allHeard([alice, stays, goes], saidBy([alice]));
    await goes.leave();
    await goes.return(there);
    await comes.leave();
    await comes.return(here);
    for (let n = 0; n < 3; n += 1) alice.say();
    await eventually('what is said meanwhile', () => stays.heard().length === 11);
    // It publishes again elsewhere what was not acknowledged.
    const refs = [...Array(alice.said).keys()].map((n) => `alice-${n + 1}`);
    const unacked = refs.filter((ref) => !alice.answers().has(ref));
    expect(unacked.length).toBeGreaterThan(0);
    await alice.leave();
    await alice.return(there);
    for (const ref of unacked) {
      const data = { by: 'alice', n: Number(ref.split('-')[1]) };
      alice.client.send({ type: 'chat', room: 'room', data, ref });
    }
    await allAcked([alice]);
    proxy.breakAll();
    proxy.resume();
    await ready(here, there);
    alice.say();
    await allHeard(all, saidBy([alice]));
    await allAcked([alice]);
    expectNoRepeat(all);
    for (const one of all) expect(one.losses().filter((reason) => reason !== 'unavailable')).toEqual([]);
  },
);
