import { afterAll, beforeAll } from 'vitest';
import { randomIds, randomName } from '../../src/platform.ts';
import type { HistoryLimits } from '../../src/core/ports/room-rules.ts';
import { brokerContract } from './broker.ts';
import type { NatsBackbone } from '../../src/engines/nats/connection/backbone.ts';
import { NatsBroker } from '../../src/engines/nats/broker.ts';
import { NatsSubject } from '../engines/nats/subject.ts';
import { lastValueContract, roomRulesContract } from './room-rules.ts';
import { sharedBrokerContract } from './shared-broker.ts';
import { TestClock } from '../support/test-clock.ts';

const nats = new NatsSubject();
beforeAll(() => nats.start());
afterAll(() => nats.stop());

let clock = new TestClock();

function brokerOn(
  backbone: NatsBackbone,
  historySize: number,
  limitsOf?: (room: string) => HistoryLimits,
): NatsBroker {
  const widest = { historySize, historyTtlMs: 60_000 };
  return new NatsBroker({
    backbone,
    limitsOf: limitsOf ?? (() => widest),
    widest: () => widest,
    bufferMessages: 100,
    memoryBytes: 1_048_576,
    maxMessageBytes: 65_536,
    newName: () => randomIds().ephemeral(),
    newEpoch: randomName,
  });
}

const alone = {
  open(limitsOf?: (room: string) => HistoryLimits): Promise<NatsBroker> {
    nats.empty();
    clock = new TestClock(Date.now());
    return Promise.resolve(brokerOn(nats.backbone({ clock }), 5, limitsOf));
  },
  /** Advances the pod's clock, but not that of NATS, except for claims. Each timer runs only once. */
  async pass(ms: number): Promise<void> {
    await nats.ageClaims(ms);
    clock.stall(ms);
    clock.advance(0);
  },
};

brokerContract('The NATS broker', { open: () => alone.open(), pass: (ms) => alone.pass(ms) });
roomRulesContract('The NATS broker', alone);
lastValueContract('The NATS broker', alone);

sharedBrokerContract('The NATS broker', {
  empty: () => nats.empty(),
  open: () => Promise.resolve(brokerOn(nats.backbone(), 1_000)),
  breaks: () => nats.server.freeze(),
  mends: () => nats.server.thaw(),
});
