import { expect, test } from 'vitest';
import { degraded, eventually, podsOn, ready, SLOW } from '../../faults/world.ts';
import { expectEverythingOnce, startTalk } from '../../faults/judge.ts';
import { natsOf } from './world.ts';
import { part } from '../../support/client.ts';
import { Witness } from '../../faults/witness.ts';

test(
  'NATS killed under load and restarted: no message is lost, duplicated or out of order',
  SLOW,
  async () => {
    const nats = await natsOf();
    const [here, there] = await podsOn(nats);
    const speakers = [
      await Witness.join(here, 'room', 'alice'),
      await Witness.join(here, 'room', 'bob'),
      await Witness.join(there, 'room', 'carol'),
    ];
    // Without a ref only the pod itself prevents a second publication.
    for (const one of speakers.slice(1, 2)) one.wantsAcks = false;
    const quiet = await Witness.join(there, 'room', 'quiet');
    const absent = await Witness.join(here, 'room', 'absent');
    const talk = startTalk(speakers);
    await eventually('some talk', () => quiet.heard().length > 100);
    await absent.leave();
    await nats.kill();
    await degraded(here, there);
    const before = quiet.heard().length;
    await eventually('talk on the own pod', () => quiet.heard().length > before + 50);
    await nats.start();
    await ready(here, there);
    const after = quiet.heard().length;
    await eventually('more talk', () => quiet.heard().length > after + 100);
    talk.stop();
    await expectEverythingOnce([...speakers, quiet], speakers);
    for (const one of [...speakers, quiet]) expect(one.losses()).toEqual([]);
    expect(part(await absent.return(there), 'data')).toMatchObject({ recovered: true });
    await expectEverythingOnce([...speakers, quiet, absent], speakers);
  },
);
