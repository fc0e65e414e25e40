import { afterAll, afterEach, beforeAll } from 'vitest';
import { NatsPresence } from '../../src/engines/nats/presence.ts';
import { NatsSubject } from '../engines/nats/subject.ts';
import { presenceContract } from './presence.ts';
import { TestClock } from '../support/test-clock.ts';

const nats = new NatsSubject();
let clock = new TestClock();
let now = (): number => clock.now();
beforeAll(() => nats.start());
afterEach(() => nats.close());
afterAll(() => nats.stop());

presenceContract('The NATS presence store', {
  async open() {
    nats.empty();
    clock = new TestClock(Date.now());
    const backbone = nats.backbone({ clock });
    now = () => backbone.link.now();
    const store = new NatsPresence({ backbone, isSubscribed: () => true });
    await backbone.start();
    await nats.settled(backbone);
    return store;
  },
  pass(ms) {
    clock.advance(ms);
    return Promise.resolve();
  },
  now: () => Promise.resolve(now()),
});
