import { connect } from '@nats-io/transport-node';
import { allHeard, expectNoRepeat, saidBy } from '../../faults/judge.ts';
import { eventually, get, podsOn, ready, SLOW } from '../../faults/world.ts';
import { expect, onTestFinished, test } from 'vitest';
import { jetstreamManager, type JetStreamManager, type StreamConfig } from '@nats-io/jetstream';
import { natsOf } from './world.ts';
import { Witness } from '../../faults/witness.ts';

const HISTORY = 'realtime-history';

async function operator(port: number): Promise<JetStreamManager> {
  const connection = await connect({ servers: `127.0.0.1:${port}` });
  onTestFinished(() => connection.close());
  return jetstreamManager(connection);
}

/** What an operator does to the history while pods are connected; `config`: its settings before. */
const FAULTS: Record<string, (jsm: JetStreamManager, config: StreamConfig) => Promise<unknown>> = {
  'is deleted': (jsm) => jsm.streams.delete(HISTORY),
  'is made anew by hand, with other settings': async (jsm, { subjects, republish }) => {
    await jsm.streams.delete(HISTORY);
    return jsm.streams.add({
      name: HISTORY,
      subjects,
      max_msgs_per_subject: 3,
      ...(republish && { republish }),
    });
  },
  'is made anew by hand, as it was': async (jsm, config) => {
    await jsm.streams.delete(HISTORY);
    return jsm.streams.add(config);
  },
};

test.for(Object.keys(FAULTS))(
  'The history %s while pods are connected: no later message is lost, and each comes once',
  SLOW,
  async (name) => {
    const nats = await natsOf();
    const [here, there] = await podsOn(nats);
    await ready(here, there);
    const alice = await Witness.join(here, 'room', 'alice');
    const bob = await Witness.join(there, 'room', 'bob');
    const [early, late] = [
      await Witness.join(there, 'room', 'early'),
      await Witness.join(there, 'room', 'late'),
    ];
    for (let n = 0; n < 10; n += 1) alice.say();
    await allHeard([alice, bob, early, late], saidBy([alice]));
    await early.leave();
    for (let n = 0; n < 10; n += 1) alice.say();
    await allHeard([alice, bob, late], saidBy([alice]));
    await late.leave();
    const lost = encodeURIComponent(early.position);
    const jsm = await operator(nats.port);
    const { config } = await jsm.streams.info(HISTORY);
    await FAULTS[name]?.(jsm, config);
    for (let n = 0; n < 30; n += 1) alice.say();
    for (const one of [alice, bob]) {
      await allHeard([one], saidBy([alice]));
      await eventually(`${one.user} to be told`, () => one.losses().length > 0);
    }
    await ready(here, there);
    const answers = [await early.return(here), await late.return(there)];
    for (const { data } of answers) expect(data).toMatchObject({ recovered: false, reason: 'history_lost' });
    for (const pod of [here, there]) {
      const { body } = await get(pod, `/api/rooms/room/history?after=${lost}`);
      expect(body).toMatchObject({ recovered: false, reason: 'history_lost' });
      const { position } = body as { position: string };
      const next = await get(pod, `/api/rooms/room/history?after=${encodeURIComponent(position)}`);
      expect(next.body).toMatchObject({ recovered: true, messages: [], more: false });
    }
    alice.say();
    await allHeard([alice, bob], saidBy([alice]));
    for (const one of [alice, bob, early, late])
      expect([one.user, one.losses()]).toEqual([one.user, ['history_lost']]);
    expectNoRepeat([alice, bob]);
    const output = here.output() + there.output();
    expect(output).not.toContain('JetStream does not answer');
    expect(output.includes('no stream stores realtime.history.…')).toBe(name === 'is deleted');
  },
);
