import { afterAll, afterEach, beforeAll } from 'vitest';
import { directoryContract } from './directory.ts';
import { NatsDirectory } from '../../src/engines/nats/directory.ts';
import { NatsSubject } from '../engines/nats/subject.ts';

const nats = new NatsSubject();
beforeAll(() => nats.start());
afterEach(() => nats.close());
afterAll(() => nats.stop());

directoryContract('The NATS directory', {
  async open(source) {
    nats.empty();
    const backbone = nats.backbone();
    const directory = new NatsDirectory(backbone);
    await backbone.start();
    await nats.settled(backbone);
    await directory.start(source);
    return directory;
  },
});
