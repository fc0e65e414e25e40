import { connect } from '@nats-io/transport-node';
import { degraded, eventually, podsOn, ready, SLOW } from '../../faults/world.ts';
import { expect, test } from 'vitest';
import { expectEverythingOnce } from '../../faults/judge.ts';
import { jetstreamManager } from '@nats-io/jetstream';
import { metric } from '../../many-pods/world.ts';
import { natsOf } from './world.ts';
import { Witness } from '../../faults/witness.ts';

test(
  'NATS without free storage is unavailable until it has some, and no publication is lost',
  SLOW,
  async () => {
    const nats = await natsOf({ maxFile: '1MB' });
    const [here, there] = await podsOn(nats);
    const alice = await Witness.join(here, 'room', 'alice');
    const bob = await Witness.join(there, 'room', 'bob');
    const operator = await connect({ servers: `127.0.0.1:${nats.port}` });
    const jsm = await jetstreamManager(operator);
    await jsm.streams.add({ name: 'filler', subjects: ['filler'] });
    const filler = 'x'.repeat(50_000);
    const isFull = async (): Promise<boolean> => {
      const { data } = await operator.request('filler', filler);
      return new TextDecoder().decode(data).includes('error');
    };
    await eventually('a full server', isFull);
    const text = 'y'.repeat(20_000);
    for (let n = 0; n < 10; n += 1) alice.say({ data: { by: 'alice', n: n + 1, text } });
    await degraded(here);
    await eventually('all of it on the own pod', () => alice.heard().length === 10);
    expect(await metric(here, 'realtime_nats_losses')).toBeLessThan(3);
    await jsm.streams.delete('filler');
    await operator.close();
    await ready(here, there);
    alice.say();
    await expectEverythingOnce([alice, bob], [alice]);
  },
);
