import { afterAll, beforeAll } from 'vitest';
import { randomIds, randomName } from '../../src/platform.ts';
import { brokerContract } from './broker.ts';
import type { NatsBackbone } from '../../src/engines/nats/connection/backbone.ts';
import { NatsBroker } from '../../src/engines/nats/broker.ts';
import { NatsSubject } from '../engines/nats/subject.ts';
import { sharedBrokerContract } from './shared-broker.ts';
import { TestClock } from '../support/test-clock.ts';

const nats = new NatsSubject();
beforeAll(() => nats.start());
afterAll(() => nats.stop());

let clock = new TestClock();

function brokerOn(backbone: NatsBackbone, historySize: number): NatsBroker {
  return new NatsBroker({
    backbone,
    historySize,
    historyTtlMs: 60_000,
    bufferMessages: 100,
    memoryBytes: 1_048_576,
    maxMessageBytes: 65_536,
    newName: () => randomIds().ephemeral(),
    newEpoch: randomName,
  });
}

brokerContract('The NATS broker', {
  open() {
    nats.empty();
    clock = new TestClock(Date.now());
    return Promise.resolve(brokerOn(nats.backbone({ clock }), 5));
  },
  /** Advances the pod's clock, but not that of NATS, except for claims. Each timer runs only once. */
  async pass(ms) {
    await nats.ageClaims(ms);
    clock.stall(ms);
    clock.advance(0);
  },
});

sharedBrokerContract('The NATS broker', {
  empty: () => nats.empty(),
  open: () => Promise.resolve(brokerOn(nats.backbone(), 1_000)),
  breaks: () => nats.server.freeze(),
  mends: () => nats.server.thaw(),
});
