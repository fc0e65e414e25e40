import { afterAll, afterEach, beforeAll } from 'vitest';
import { denylistContract, sharedDenylistContract, type SharedDenylistSubject } from './denylist.ts';
import { NatsDenylist } from '../../src/engines/nats/denylist.ts';
import type { NatsBackbone } from '../../src/engines/nats/connection/backbone.ts';
import { NatsSubject } from '../engines/nats/subject.ts';

const nats = new NatsSubject();
let last: NatsBackbone | undefined;
const opened: NatsDenylist[] = [];
beforeAll(() => nats.start());
afterEach(async () => {
  for (const denylist of opened.splice(0)) denylist.stop();
  await nats.close();
});
afterAll(() => nats.stop());

const subject: SharedDenylistSubject = {
  empty: () => nats.empty(),
  async open(denied) {
    // A pod notices a deleted stream three times as often.
    const backbone = nats.backbone({ presenceTtlMs: 3_000 });
    last = backbone;
    const denylist = new NatsDenylist(backbone);
    opened.push(denylist);
    denylist.start(denied);
    await backbone.start();
    await denylist.refreshed();
    return denylist;
  },
  loses: async () => {
    const stream = last?.names.stream('denials') ?? '';
    await last?.link.call(({ jsm }) => jsm.streams.delete(stream));
  },
  breaks: () => nats.server.freeze(),
  mends: () => nats.server.thaw(),
};

denylistContract('The NATS denylist', subject);
sharedDenylistContract('The NATS denylist', subject);
